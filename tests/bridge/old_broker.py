"""A TCP proxy before a real broker that behaves like one which knows no MQTT 5."""

import socket
import threading
from typing import Self

from tests.bridge.broker import HOST

REFUSED_VERSION_311 = b"\x20\x02\x00\x01"


class OldBroker:
    """Refuses a CONNECT of level 5: by the 3.1.1 return code 1, or (`hangs_up`) by closing without a word."""

    def __init__(self, broker_port: int, *, hangs_up: bool) -> None:
        self._broker_port = broker_port
        self._hangs_up = hangs_up
        self.levels: list[int] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        first = client.recv(4096)
        level = first[first.index(b"MQTT") + 4]
        self.levels.append(level)
        if level == 5:
            if not self._hangs_up:
                client.sendall(REFUSED_VERSION_311)
            client.close()
            return
        upstream = socket.create_connection((HOST, self._broker_port))
        self._sockets.append(upstream)
        upstream.sendall(first)
        threading.Thread(target=_pump, args=(upstream, client), daemon=True).start()
        _pump(client, upstream)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(65_536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
