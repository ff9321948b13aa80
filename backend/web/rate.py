"""Bounds on routes that anyone may call: one for all who ask together, one for each client address.

Both are of one worker process, in its memory: they cost nothing under the load that they are against, and with several
workers a client may have several times as much.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from backend.environment import Network
from backend.kernel.errors import DomainError

REQUESTS_MAX = 300
WINDOW_S = 30.0
IPV6_SITE_BITS = 64
"""What one subscriber is given: an address of it costs nothing."""
CLIENTS_MAX = 50_000
"""Clients that are counted at a time; whoever asked longest ago is forgotten."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TooManyRequests(DomainError):
    code = "too-many-requests"
    text_zh = "请求过于频繁，请稍后再试。"
    text_en = "Too many requests just now: try again a little later."


class TooManyFromAddress(DomainError):
    code = "too-many-from-address"
    text_zh = "您所在网络的请求过于频繁，请 {wait_s} 秒后再试。"
    text_en = "Too many requests from your network just now: try again in {wait_s} s."


class Allowance(NamedTuple):
    """So many requests at once, and one more every `every_s` seconds."""

    at_once: int
    every_s: float


class Bounded(Enum):
    """What a client address may ask. Networks of mobile operators put thousands of people behind one address, so these stop
    programs, not people; codes by text message cost money, and slips may be
    those of others: these are fewest.
    """

    SIGN_IN = Allowance(120, 0.5)
    CONSOLE_SIGN_IN = Allowance(30, 2.0)
    PHONE_CODE = Allowance(30, 20.0)
    MISSING_POINTS = Allowance(20, 30.0)
    WHOLE_SNAPSHOT = Allowance(120, 1.0)


class Window:
    """At most `REQUESTS_MAX` in a window of 30 s, a process; shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends_s = 0.0
        self._left = 0

    def enter(self) -> None:
        """Raises TooManyRequests."""
        now_s = time.monotonic()
        with self._lock:
            if now_s >= self._ends_s:
                self._ends_s, self._left = now_s + WINDOW_S, REQUESTS_MAX
            if self._left == 0:
                raise TooManyRequests
            self._left -= 1


class Clients:
    """What each client has asked lately, as the moment at which all of it will be paid off (the GCRA of traffic shaping)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paid_off_s: OrderedDict[tuple[Bounded, str], float] = OrderedDict()

    def enter(self, what: Bounded, client: str, now_s: float) -> None:
        """Raises TooManyFromAddress; what is refused is not counted."""
        at_once, every_s = what.value
        key = (what, client)
        with self._lock:
            paid_off_s = max(now_s, self._paid_off_s.get(key, now_s)) + every_s
            wait_s = paid_off_s - now_s - at_once * every_s
            if wait_s > 0:
                raise TooManyFromAddress(wait_s=math.ceil(wait_s))
            self._paid_off_s[key] = paid_off_s
            self._paid_off_s.move_to_end(key)
            if len(self._paid_off_s) > CLIENTS_MAX:
                self._paid_off_s.popitem(last=False)


def client_of(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The client, as an IPv4 address or the /64 of an IPv6 address; None for a program on this very machine.

    `forwarded`: the X-Forwarded-For lines. Each proxy adds at the right whom it was asked by, so only what stands right of
    the first address that is no trusted proxy was said by one; the rest a client may have made up.
    """
    address = _address(peer or "")
    if address is None or (address.is_loopback and not forwarded):
        return None
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    while hops and any(address in network for network in trusted if network.version == address.version):
        further = _address(hops.pop())
        if further is None:
            break
        address = further
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_SITE_BITS), strict=False))
    return str(address)


def _address(text: str) -> Address | None:
    """Without a port, where a proxy adds one."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
