"""Who a client is behind proxies, and how much one may ask."""

import ipaddress
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.environment import networks_in
from backend.web.rate import CLIENTS_MAX, Allowance, Bounded, Clients, TooManyFromAddress, client_of

TRUSTED = networks_in("127.0.0.1,::1,10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", [], None),
        ("::1", [], None),
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # said by a stranger
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.7, 198.51.100.1"], "198.51.100.1"),  # what stands before was made up by the client
        ("127.0.0.1", ["192.0.2.7", "198.51.100.1, 10.0.0.5"], "198.51.100.1"),
        ("10.0.0.2", ["10.0.0.3"], "10.0.0.3"),
        ("10.0.0.2", ["unknown"], "10.0.0.2"),
        ("10.0.0.2", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.2", ["[2001:db8:1:2:3::4]:443"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", [], "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", [], "203.0.113.9"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    peer: str | None, forwarded: list[str], client: str | None
) -> None:
    assert client_of(peer, forwarded, TRUSTED) == client


@given(st.lists(st.ip_addresses().map(str), max_size=4), st.ip_addresses(v=4).filter(lambda ip: ip not in TRUSTED[2]))
def test_whatever_a_client_makes_up_it_stays_the_one_that_the_proxy_saw(
    made_up: list[str], seen: ipaddress.IPv4Address
) -> None:
    if not seen.is_loopback:
        assert client_of("10.0.0.2", [", ".join([*made_up, str(seen)])], TRUSTED) == str(seen)


def admitted(clients: Clients, what: Bounded, moments: list[float]) -> list[float]:
    found = []
    for at_s in moments:
        with suppress(TooManyFromAddress):
            clients.enter(what, "198.51.100.1", at_s)
            found.append(at_s)
    return found


@given(st.lists(st.floats(0, 3_000), max_size=80).map(sorted))
def test_a_client_has_its_burst_and_its_pace_and_never_more(moments: list[float]) -> None:
    at_once, every_s = Bounded.PHONE_CODE.value
    found = admitted(Clients(), Bounded.PHONE_CODE, moments)

    for number in range(len(found)):
        later = found[number + at_once :: at_once]
        assert all(at_s - found[number] >= every_s for at_s in later[:1])
    assert len(found) >= min(at_once, len(moments))


def test_who_waits_as_told_is_let_in() -> None:
    clients = Clients()
    admitted(clients, Bounded.PHONE_CODE, [0.0] * Bounded.PHONE_CODE.value.at_once)

    with pytest.raises(TooManyFromAddress) as refused:
        clients.enter(Bounded.PHONE_CODE, "198.51.100.1", 5.0)

    assert refused.value.facts["wait_s"] == 15
    clients.enter(Bounded.PHONE_CODE, "198.51.100.1", 20.0)
    clients.enter(Bounded.SIGN_IN, "198.51.100.1", 5.0)
    clients.enter(Bounded.PHONE_CODE, "198.51.100.2", 5.0)


def test_clients_beyond_the_limit_push_out_whoever_asked_longest_ago() -> None:
    clients = Clients()
    for number in range(CLIENTS_MAX + 1):
        clients.enter(Bounded.SIGN_IN, str(number), 0.0)

    assert len(clients._paid_off_s) == CLIENTS_MAX
    assert (Bounded.SIGN_IN, "0") not in clients._paid_off_s


def test_texts_and_guesses_at_slips_are_fewest() -> None:
    bounds: list[Allowance] = sorted((one.value for one in Bounded), key=lambda one: one.every_s)

    assert bounds[-2:] == [Bounded.PHONE_CODE.value, Bounded.MISSING_POINTS.value]
    assert all(one.every_s <= other.every_s for one, other in pairwise(bounds))
