import time
from typing import Final

from firmware_bridge.connection import Connection, NotSent
from firmware_bridge.wire import topics

REPEAT_S: Final = 2.0


def is_probe(topic: str) -> bool:
    """Bridges' own messages: acknowledged in their turn like any other, never forwarded."""
    return topic.startswith(topics.PROBE_PREFIX)


class Probe:
    """A message to itself through the tills' own subscription, until anything comes through it.

    A broker that grants a subscription and then delivers nothing (an ACL does that: SUBACK says success)
    looks healthy otherwise. Whatever arrives proves the subscription; the probe is for a quiet hour. With
    shared subscriptions it may be dealt to another bridge, hence the repeats.
    """

    def __init__(self, name: str) -> None:
        self._topic = topics.probe(name)
        self._next_at_s = 0.0

    def send_when_due(self, connection: Connection) -> None:
        now_s = time.monotonic()
        if now_s < self._next_at_s:
            return
        self._next_at_s = now_s + REPEAT_S
        try:
            connection.publish(self._topic, b"probe")
        except NotSent:
            return  # the connection is ending; the next one probes anew

    def reset(self) -> None:
        self._next_at_s = 0.0
