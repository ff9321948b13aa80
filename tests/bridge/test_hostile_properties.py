"""What a till may write beside its payload (MQTT 5 properties) that the broker lets through."""

from collections.abc import Callable

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.bridge.backend_double import BackendDouble
from tests.bridge.broker import MqttDouble, wait_until
from tests.bridge.conftest import UP, RunningBridge
from tests.contracts import golden

MESSAGE = (golden.FOLDER / "message-one-basket.bin").read_bytes()


def _properties() -> Properties:
    """U+FEFF is text to MQTT 5 (§1.5.4) and to Mosquitto; paho raises in its network thread where it stands."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
    properties.UserProperty = ("name", "\ufeff")
    properties.ContentType = "\ufeff"
    return properties


@pytest.mark.parametrize("qos", [0, 1])
def test_a_property_that_our_library_takes_for_malformed_does_not_end_the_bridge(
    start_bridge: Callable[..., RunningBridge], backend: BackendDouble, till: MqttDouble, qos: int
) -> None:
    start_bridge().wait_ready()

    till.publish(UP, MESSAGE, qos=qos, properties=_properties())
    till.publish(UP, MESSAGE + b" after")

    wait_until(lambda: backend.payloads() == [MESSAGE, MESSAGE + b" after"], "both messages", timeout_s=15)
