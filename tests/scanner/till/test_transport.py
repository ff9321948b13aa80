"""A connection of which nothing is heard any more is told as lost."""

import queue
import socket
import threading
from dataclasses import replace

import pytest

from scanner.settings import Protocol, Settings
from scanner.transport import Connected, Disconnected, Transport, TransportEvent

CONNACK_311 = b"\x20\x02\x00\x00"
PUBLISH_OF_NO_TOPIC = b"\x30\x03\x00\x01\xff"
WAIT_S = 3


def test_a_connection_whose_thread_dies_of_what_the_broker_says_is_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    told: queue.SimpleQueue[TransportEvent] = queue.SimpleQueue()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = replace(settings, broker_host="127.0.0.1", broker_port=listener.getsockname()[1], tls=None)
        transport = Transport(here, Protocol.V311, 7, None, told.put)
        transport.open()
        broker, _ = listener.accept()
        with broker:
            broker.recv(4096)
            broker.sendall(CONNACK_311)
            assert told.get(timeout=WAIT_S) == Connected(7)

            broker.sendall(PUBLISH_OF_NO_TOPIC)

            lost = told.get(timeout=WAIT_S)
            transport.close()
    assert isinstance(lost, Disconnected)
    assert lost.generation == 7
