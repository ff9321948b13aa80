"""Who may say and hear what, with certificates and the shipped dynamic security, seen by what arrives."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.settings import Settings, SettingsRefused, load_settings
from tests.bridge.access import access_file
from tests.bridge.backend_double import TOKEN, BackendDouble, receipt_for
from tests.bridge.broker import HOST, Broker, MqttDouble, Tls, wait_until
from tests.bridge.certificates import Authority
from tests.bridge.conftest import DEVICE, RunningBridge

OTHER, UNKNOWN = "nj-0042-4", "nj-0042-5"
REFUSED = "Not authorized"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded(mosquitto: str, tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    with Broker(mosquitto, folder, authority.issue("localhost"), access_file(folder, DEVICE, OTHER)) as broker:
        yield broker


@pytest.fixture(scope="module")
def ears(guarded: Broker, authority: Authority) -> Iterator[tuple[MqttDouble, MqttDouble]]:
    """A bridge and a till, all that they may hear."""
    till_hears = [f"pos/v1/{DEVICE}/down/#", "pos/v1/bridge/+/state"]
    with (
        MqttDouble(guarded.port, "bridge-ear", ["pos/v1/+/up/#"], authority.issue("bridge")) as bridge,
        MqttDouble(guarded.port, "till-ear", till_hears, authority.issue(DEVICE)) as till,
    ):
        yield bridge, till


@pytest.fixture(scope="module")
def writer(guarded: Broker, authority: Authority) -> Iterator[Callable[[str], MqttDouble]]:
    with ExitStack() as stack:

        @cache
        def connect(who: str) -> MqttDouble:
            return stack.enter_context(MqttDouble(guarded.port, f"{who}-writes", ["none"], authority.issue(who)))

        yield connect


def settings(broker: Broker, backend: BackendDouble, authority: Authority, **changes: Any) -> Settings:
    tls = authority.issue("bridge")
    values: dict[str, Any] = {
        "broker_port": broker.port,
        "broker_ca_file": tls.ca,
        "broker_cert_file": tls.cert,
        "broker_key_file": tls.key,
        "backend_url": backend.url,
        "token": TOKEN,
        "health_port": 0,
        "retry_wait_s_max": 1,
        "broker_access": "none",
    }
    return Settings(**(values | changes))


def test_a_basket_and_its_receipt_pass_with_certificates(
    guarded: Broker, backend: BackendDouble, authority: Authority
) -> None:
    bridge = RunningBridge(settings(guarded, backend, authority)).wait_ready()
    try:
        with MqttDouble(guarded.port, DEVICE, [f"pos/v1/{DEVICE}/down/#"], authority.issue(DEVICE)) as till:
            assert till.publish(f"pos/v1/{DEVICE}/up/baskets", b"basket") == "Success"
            wait_until(lambda: till.payloads(f"pos/v1/{DEVICE}/down/receipt") == [receipt_for(b"basket")], "receipt")
    finally:
        bridge.stop()


@pytest.mark.parametrize(
    ("who", "topic", "allowed"),
    [
        (DEVICE, f"pos/v1/{DEVICE}/up/baskets", True),
        (DEVICE, f"pos/v1/{DEVICE}/up/anything/deeper", True),
        (DEVICE, f"pos/v1/{DEVICE}/down/receipt", False),
        (DEVICE, f"pos/v1/{OTHER}/up/baskets", False),
        (DEVICE, f"pos/v1/{OTHER}/down/receipt", False),
        (DEVICE, "pos/v1/bridge/a1/state", False),
        (DEVICE, "pos/v1/bridge/up/probe/a1", False),
        (DEVICE, "elsewhere", False),
        (DEVICE, "$CONTROL/dynamic-security/v1", False),
        (UNKNOWN, f"pos/v1/{UNKNOWN}/up/baskets", False),
        (UNKNOWN, f"pos/v1/{DEVICE}/up/baskets", False),
        ("bridge", f"pos/v1/{DEVICE}/down/receipt", True),
        ("bridge", "pos/v1/bridge/a1/state", True),
        ("bridge", "pos/v1/bridge/up/probe/a1", True),
        ("bridge", f"pos/v1/{DEVICE}/up/baskets", False),
        ("bridge", "elsewhere", False),
    ],
)
def test_only_what_a_role_names_may_be_written(
    ears: tuple[MqttDouble, MqttDouble],
    writer: Callable[[str], MqttDouble],
    who: str,
    topic: str,
    *,
    allowed: bool,
) -> None:
    bridge, till = ears
    mark = f"{who} {topic}".encode()

    reason = writer(who).publish(topic, mark)

    assert reason.startswith(REFUSED) != allowed
    # A last message, allowed for certain, through every ear: what was to come has come by then.
    till.publish(f"pos/v1/{DEVICE}/up/last", mark)
    bridge.publish(f"pos/v1/{DEVICE}/down/last", mark)
    wait_until(lambda: (f"pos/v1/{DEVICE}/up/last", mark) in bridge.received, "the bridge's last message")
    wait_until(lambda: (f"pos/v1/{DEVICE}/down/last", mark) in till.received, "the till's last message")
    assert ((topic, mark) in bridge.received + till.received) == allowed


def test_a_till_hears_only_its_own_down_topics_and_the_bridges_states(guarded: Broker, authority: Authority) -> None:
    own = [f"pos/v1/{DEVICE}/down/#", "pos/v1/bridge/+/state"]
    greedy = [*own, "#", "pos/v1/+/up/#", "pos/v1/+/down/#", f"pos/v1/{OTHER}/up/baskets", f"pos/v1/{OTHER}/down/#"]
    greedy += ["$SYS/#", "$CONTROL/#", "$share/bridge/pos/v1/+/up/#", "$share/own/pos/v1/+/down/#"]
    with (
        MqttDouble(guarded.port, DEVICE, greedy, authority.issue(DEVICE)) as till,
        MqttDouble(guarded.port, OTHER, ["none"], authority.issue(OTHER)) as other,
        MqttDouble(guarded.port, "bridge-a1", ["pos/v1/+/up/#"], authority.issue("bridge")) as bridge,
    ):
        other.publish(f"pos/v1/{OTHER}/up/baskets", b"secret of another")
        other.publish(f"pos/v1/{OTHER}/up/state", b"retained secret", retain=True)
        bridge.publish(f"pos/v1/{OTHER}/down/receipt", b"another's receipt")
        bridge.publish("pos/v1/bridge/a1/state", b"online")
        bridge.publish(f"pos/v1/{DEVICE}/down/receipt", b"own receipt")

        wait_until(lambda: (f"pos/v1/{DEVICE}/down/receipt", b"own receipt") in till.received, "the own receipt")
        assert till.granted == own
        heard = {topic for topic, _ in till.received}
        assert heard == {f"pos/v1/{DEVICE}/down/receipt", "pos/v1/bridge/a1/state"}


def test_a_certificate_of_another_authority_is_not_let_in(
    guarded: Broker, backend: BackendDouble, authority: Authority, tmp_path: Path
) -> None:
    forged = Authority(tmp_path / "forged", "forged").issue("bridge")
    ours = authority.issue("bridge")
    bridge = RunningBridge(
        settings(guarded, backend, authority, broker_ca_file=ours.ca, broker_cert_file=forged.cert,
                 broker_key_file=forged.key)
    )  # fmt: skip
    try:
        with pytest.raises(AssertionError, match="in vain"):
            wait_until(lambda: bridge.metric("bridge_connected") == 1, "the connection", timeout_s=1.0)
        assert bridge.get("/health")[0] == 200
    finally:
        bridge.stop()


@pytest.mark.parametrize("fault", ["another authority", "expired", "not yet valid"])
def test_a_till_whose_certificate_is_no_good_gets_no_connection(
    guarded: Broker, authority: Authority, tmp_path: Path, fault: str
) -> None:
    assert connack(guarded, authority.issue(DEVICE)) == bytes.fromhex("20020000")
    no_good = {
        "another authority": lambda: replace(
            Authority(tmp_path / "forged", "forged").issue(DEVICE), ca=authority.issue(OTHER).ca
        ),
        "expired": lambda: authority.issue(DEVICE, (-10, -1)),
        "not yet valid": lambda: authority.issue(DEVICE, (1, 2)),
    }[fault]()

    with pytest.raises((ssl.SSLError, ConnectionError)):
        connack(guarded, no_good)


def connack(broker: Broker, tls: Tls) -> bytes:
    """The answer to CONNECT (MQTT 3.1.1). Under TLS 1.3 a refusal of the certificate comes in its place."""
    context = ssl.create_default_context(cafile=tls.ca)
    context.load_cert_chain(tls.cert, tls.key)
    with (
        socket.create_connection((HOST, broker.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=HOST) as secured,
    ):
        secured.sendall(bytes.fromhex("10 0e 0004 4d515454 04 02 003c 0002 7431"))
        return secured.recv(4)


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_of_another_authority_is_not_trusted(
    guarded: Broker, backend: BackendDouble, authority: Authority, tmp_path: Path
) -> None:
    elsewhere = Authority(tmp_path / "elsewhere", "elsewhere").issue("bridge")
    bridge = RunningBridge(settings(guarded, backend, authority, broker_ca_file=elsewhere.ca))
    try:
        with pytest.raises(AssertionError, match="in vain"):
            wait_until(lambda: bridge.metric("bridge_connected") == 1, "the connection", timeout_s=1.0)
    finally:
        bridge.stop()


def test_a_till_that_knows_the_share_group_is_dealt_nothing(guarded: Broker, authority: Authority) -> None:
    """By an ACL file it would swallow its part: Mosquitto deals a message to a member before it asks the file."""
    known = "$share/bridge/pos/v1/+/up/#"
    topic = f"pos/v1/{OTHER}/up/baskets"
    with (
        MqttDouble(guarded.port, "bridge-a1", [known], authority.issue("bridge")) as bridge,
        MqttDouble(guarded.port, DEVICE, [known], authority.issue(DEVICE)) as thief,
        MqttDouble(guarded.port, OTHER, ["none"], authority.issue(OTHER)) as other,
    ):
        for number in range(20):
            other.publish(topic, b"%d" % number)

        wait_until(lambda: len(bridge.payloads(topic)) == 20, "every message")
        assert thief.granted == thief.received == []


@pytest.mark.parametrize("group", ["bridge", "x" * 65, "with/slash/and/more", "+" * 20])
def test_a_guessable_or_broken_share_group_is_refused(monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    monkeypatch.setenv("GREENPOINTS_BRIDGE_SHARE_GROUP", group)

    with pytest.raises(SettingsRefused) as refused:
        load_settings()

    assert "GREENPOINTS_BRIDGE_SHARE_GROUP" in refused.value.faults
