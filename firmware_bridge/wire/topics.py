import re
from typing import Final

from firmware_bridge.wire.errors import BadDeviceId, BadTopic

ROOT: Final = "pos/v1"
DEVICE_ID: Final = re.compile(r"(?!bridge)[a-z0-9-]{8,40}")
# "up" would make a bridge's state match the tills' filter `pos/v1/+/up/#`.
BRIDGE_NAME: Final = re.compile(r"(?!up\Z)(?!down\Z)[a-z0-9-]{1,40}")
SHARE_GROUP: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

UP_FILTER: Final = f"{ROOT}/+/up/#"
BRIDGE_STATES_FILTER: Final = f"{ROOT}/bridge/+/state"
PROBE_PREFIX: Final = f"{ROOT}/bridge/up/probe/"
ACCESS: Final = "bridge/v1/access"
"""No till's topic, and never published: what the backend's list has under it, a bridge carries out at its broker."""

_DEVICE_TOPIC: Final = re.compile(rf"{ROOT}/([^/]*)/(?:up|down)/.+", re.DOTALL)
_BRIDGE_STATE_TOPIC: Final = re.compile(rf"{ROOT}/bridge/([^/]*)/state")


def baskets(dev: str) -> str:
    return _of_device(dev, "up/baskets")


def health(dev: str) -> str:
    return _of_device(dev, "up/health")


def state(dev: str) -> str:
    return _of_device(dev, "up/state")


def twin(dev: str) -> str:
    return _of_device(dev, "up/twin")


def job(dev: str) -> str:
    return _of_device(dev, "up/job")


def res(dev: str) -> str:
    return _of_device(dev, "up/res")


def receipt(dev: str) -> str:
    return _of_device(dev, "down/receipt")


def down_twin(dev: str) -> str:
    return _of_device(dev, "down/twin")


def down_job(dev: str) -> str:
    return _of_device(dev, "down/job")


def down_cmd(dev: str) -> str:
    return _of_device(dev, "down/cmd")


def down_lease(dev: str) -> str:
    return _of_device(dev, "down/lease")


def down_filter(dev: str) -> str:
    """What a till subscribes to."""
    return _of_device(dev, "down/#")


def shared_up_filter(group: str) -> str:
    """Several bridges as one subscriber. Raises BadTopic."""
    if SHARE_GROUP.fullmatch(group) is None:
        raise BadTopic(topic=group)
    return f"$share/{group}/{UP_FILTER}"


def bridge_state(name: str) -> str:
    """Retained; tills hold their outbox while every bridge they see here is offline."""
    return f"{ROOT}/bridge/{_bridge_name(name)}/state"


def probe(name: str) -> str:
    """A bridge's message to itself; it matches `UP_FILTER`, so it proves the real subscription."""
    return f"{PROBE_PREFIX}{_bridge_name(name)}"


def device_of(topic: str) -> str:
    """The device id in an up or down topic. Raises BadTopic, BadDeviceId."""
    parts = _DEVICE_TOPIC.fullmatch(topic)
    if parts is None:
        raise BadTopic(topic=topic)
    return check_device_id(parts[1])


def bridge_of(topic: str) -> str:
    """The bridge's name in a bridge state topic. Raises BadTopic."""
    parts = _BRIDGE_STATE_TOPIC.fullmatch(topic)
    if parts is None:
        raise BadTopic(topic=topic)
    return _bridge_name(parts[1])


def check_device_id(dev: str) -> str:
    if DEVICE_ID.fullmatch(dev) is None:
        raise BadDeviceId(device=dev)
    return dev


def _of_device(dev: str, rest: str) -> str:
    return f"{ROOT}/{check_device_id(dev)}/{rest}"


def _bridge_name(name: str) -> str:
    if BRIDGE_NAME.fullmatch(name) is None:
        raise BadTopic(topic=name)
    return name
