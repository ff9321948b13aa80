from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.settings import Settings, read_settings
from tests.scanner.till.scene import Backend, Broker, Shop, free_port


@pytest.fixture
def new_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    brokers: list[Broker] = []

    def start(port: int = 0, extra: str = "") -> Broker:
        broker = Broker(tmp_path, port or free_port(), extra)
        brokers.append(broker)
        broker.start()
        return broker

    yield start
    for broker in brokers:
        broker.kill()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop.furnish(tmp_path)
    yield shop
    for till in shop.tills:
        till.close()


@pytest.fixture
def backend(new_broker: Callable[..., Broker], shop: Shop) -> Iterator[Backend]:
    backend = Backend(new_broker(), shop.till_key, shop.receipt_key)
    backend.come_up()
    yield backend
    backend.close()


@pytest.fixture
def settings(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in shop.environment(1).items():
        if name.startswith("GREENPOINTS_TILL_"):
            monkeypatch.setenv(name, value)
    return read_settings()
