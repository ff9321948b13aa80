"""The real till under the real launcher: an offer over MQTT, a bundle over HTTP, a virtual environment, a trial, a receipt."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_bridge.wire import topics
from firmware_bridge.wire.downlinks import seal_downlink
from firmware_bridge.wire.jobs import encode_offer
from scanner import launch
from tests.scanner.till.scene import DEVICE, ROOT, Backend, Shop, needs_mosquitto, wait_until
from tests.scanner.update.supply import HARDWARE, ROLLOUT, Supply, bundle, fill, furnish

pytestmark = needs_mosquitto

TILL = f'cd "{ROOT}"; exec "{sys.executable}" "$@"'
SHIM = f"""
import os, sys
os.chdir({str(ROOT)!r})
till = [{sys.executable!r}, "-m", "scanner", *sys.argv[1:]]
os.execv(till[0], till)
"""
"""The release: too small to hold the till's libraries, it starts this very checkout."""


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    return furnish(tmp_path / "slots", TILL)


@contextmanager
def service(slots: Path, environment: dict[str, str]) -> Iterator[list[int]]:
    """What systemd does: starts the launcher again whenever it ends. The exit codes so far."""
    codes: list[int] = []
    running: list[subprocess.Popen[bytes]] = []
    stopping = threading.Event()
    command = [sys.executable, str(Path(launch.__file__)), str(slots), "--events-json"]

    def serve() -> None:
        while not stopping.is_set():
            process = subprocess.Popen(
                command, env=environment, cwd=slots, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            )
            running[:] = [process]
            codes.append(process.wait())
            assert process.stdin is not None
            process.stdin.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield codes
    finally:
        stopping.set()
        running[0].terminate()
        thread.join(20)


def settings(supply: Supply, slots: Path, **more: str) -> dict[str, str]:
    return {
        "SLOTS_PATH": str(slots),
        "UPDATE_URL": supply.url,
        "UPDATE_ROOT_PATH": str(supply.root),
        "HARDWARE": HARDWARE,
        "UPDATE_WINDOW": "00:00-00:00",
        "UPDATE_IDLE_S": "0",
        **more,
    }


def reports(backend: Backend) -> list[dict[str, object]]:
    found = []
    while not backend.others.empty():
        message = backend.others.get()
        if message.topic == topics.job(DEVICE):
            found.append(json.loads(message.payload))
    return found


def test_a_till_updates_itself_and_keeps_what_a_receipt_proved(
    shop: Shop, backend: Backend, supply: Supply, slots: Path, tmp_path: Path
) -> None:
    """What is not the server's, and what is no job, changes nothing before."""
    offer = encode_offer(supply.publish(bundle(tmp_path, main=SHIM)))
    topic = topics.down_job(DEVICE)
    forged = seal_downlink(topic, offer.replace(b"2.0", b"9.0"), backend.till_key.sign)
    no_job = seal_downlink(topic, b'{"v":1,"job":"update"}', backend.receipt_key.sign)

    with service(slots, shop.environment(backend.broker.port, **settings(supply, slots))) as codes:
        wait_until(lambda: not backend.others.empty(), 60)
        # As the server does, until the till has heard it: the first may come before its subscription.
        for _ in range(60):
            for message in (forged, no_job, seal_downlink(topic, offer, backend.receipt_key.sign)):
                backend.publish(topic, message)
            if (slots / "job.json").exists():
                break
            time.sleep(0.5)
        wait_until(lambda: launch.current(slots) == "b", 180)
        wait_until(lambda: not (slots / "trial.json").exists())

    assert codes[0] == launch.AGAIN
    said = reports(backend)
    states = list(dict.fromkeys(str(one["state"]) for one in said))
    assert states == ["offered", "downloading", "verified", "staged", "trial", "committed"]
    assert (said[-1]["rollout"], said[-1]["version"]) == (ROLLOUT, "2.0")
    (self_test,) = backend.baskets()
    assert (self_test.reads, self_test.void_of, self_test.member) == ((), self_test.seq, None)


def test_a_till_on_trial_that_gets_no_receipt_is_not_kept(
    shop: Shop, backend: Backend, supply: Supply, slots: Path
) -> None:
    backend.answers = False
    fill(slots / "b", TILL, version="2.0", rollout=ROLLOUT)
    trial = {"v": 1, "slot": "b", "rollout": ROLLOUT, "tries": 1, "health_s": 60.0, "failures": [], "reboots": 0}
    launch.save(slots / "trial.json", {**trial, "started": None})

    with service(slots, shop.environment(backend.broker.port, **settings(supply, slots))):
        wait_until(lambda: bool(backend.lines), 30)

    assert backend.baskets()[0].void_of == backend.baskets()[0].seq
    assert launch.current(slots) == "a"
    assert (slots / "trial.json").exists()
