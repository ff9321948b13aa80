"""The application on a real database, asked by Flask's own client; the clock is a value that a test may set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from backend.bootstrap import Backend, build
from backend.retailers.store import Store
from backend.settings import Environment, Settings
from backend.storage.transaction import Database
from backend.usecases.issue_token import issue_token
from backend.usecases.open_store import open_store
from backend.web.app import create_app
from tests.http.shop import RETAILER, Shop, open_shop
from tests.worlds.city import NANJING, NOON, City

BRIDGE_TOKEN, POS_TOKEN, METRICS_TOKEN = "token-of-a-bridge", "token-of-a-shop", "token-of-monitoring"


@dataclass
class Clock:
    """The moment of the next requests."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Keys:
    receipt: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    member: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def settings(database_url: str, keys: Keys, tmp_path: Path) -> Settings:
    return settings_of(database_url, keys, tmp_path)


def settings_of(database_url: str, keys: Keys, folder: Path) -> Settings:
    for name, key in (("receipt", keys.receipt), ("member", keys.member)):
        (folder / name).write_bytes(key.private_bytes_raw())
    (folder / "identity").write_bytes(bytes(32))
    return Settings(
        env=Environment.TEST,
        database_url=database_url,
        receipt_key_file=folder / "receipt",
        member_code_key_file=folder / "member",
        member_code_key_id="n1",
        identity_hash_key_file=folder / "identity",
        development_sign_in=True,
    )


@pytest.fixture
def backend(settings: Settings) -> Iterator[Backend]:
    built = build(settings)
    yield built
    built.close()


@pytest.fixture
def client(backend: Backend, clock: Clock) -> FlaskClient:
    return create_app(backend, clock).test_client()


@pytest.fixture
def city(usual_city: City, engine_db: Database) -> City:
    """Nanjing with the usual products and policy, and tokens for a bridge, a retailer's system and monitoring."""
    for token, service in ((BRIDGE_TOKEN, "bridge"), (METRICS_TOKEN, "metrics")):
        engine_db.write(lambda c, t=token, s=service: issue_token(c, t, service=s, name=s, now=NOON))  # type: ignore[misc]
    shops_token(engine_db, POS_TOKEN, RETAILER)
    return usual_city


def shops_token(database: Database, token: str, retailer: str, city: str = NANJING) -> None:
    """Lets the system of a retailer in, named as its token is, after one shop of it was entered."""
    head_office = Store(city, f"head-{token}", retailer, f"{retailer}总店", f"{city[:4]}02")
    database.write(lambda c: open_store(c, head_office, NOON))
    whose = (city, retailer)
    database.write(lambda c: issue_token(c, token, service="pos", name=token, now=NOON, retailer=whose))


@pytest.fixture
def shop(city: City) -> Shop:
    """A store with one enrolled till that signs what it sends."""
    return open_shop(city.database, NANJING)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


SignIn = Callable[..., dict[str, str]]


@pytest.fixture
def sign_in(client: FlaskClient) -> SignIn:
    """Signs a resident in; the header that carries the session."""

    def signed_in(name: str = "zhang", city: str = NANJING) -> dict[str, str]:
        answer = client.post(
            "/api/resident/v1/sessions", json={"way": "development", "code": f"dev:{name}", "city": city}
        )
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return bearer(answer.get_json()["token"])

    return signed_in


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day …
