"""A client that asks and reads and does nothing else: what a library of HTTP costs is no part of the page that is measured."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

CHUNK_BYTES = 262_144
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class PlainClient:
    """Over one connection that is kept."""

    def __init__(self, connection: socket.socket, host: str) -> None:
        self._connection, self._host = connection, host

    def get(self, path: str, cookies: str) -> int:
        """The status of the answer, read to its last byte."""
        asked = f"GET {quote(path, safe='/?&=:%')} HTTP/1.1\r\nHost: {self._host}\r\nCookie: {cookies}\r\n\r\n"
        self._connection.sendall(asked.encode())
        received = self._more()
        while (end := received.find(_END)) < 0:
            received += self._more()
        head, status = end + len(_END), int(received[9:12])  # behind "HTTP/1.1 "
        length = _LENGTH.search(received, 0, head)
        if length is None:  # in chunks, as files are
            while not received.endswith(_LAST_CHUNK):
                received = received[-len(_LAST_CHUNK) :] + self._more()
            return status
        missing = head + int(length[1]) - len(received)
        while missing > 0:
            missing -= len(self._more())
        return status

    def _more(self) -> bytes:
        received = self._connection.recv(CHUNK_BYTES)
        assert received, "the server has hung up"
        return received


@contextmanager
def plain_client(address: str) -> Iterator[PlainClient]:
    """`address`: http://host:port."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield PlainClient(connection, parts.netloc)
