"""The witness sees what it is there for: each fault that a storm could leave, put into a good account by hand."""

from typing import Any

import pytest

from firmware_bridge.wire.claim_code import claim_sha256
from tests.journeys.witness import Recorded, faults_of

STREAM, CLAIM = "ab" * 16, "0123456789ABCDEF"
Event = dict[str, Any]


def started() -> Event:
    return {"event": "state", "state": "started", "stream": STREAM}


def beep(seq: int, code: str, price_fen: int) -> Event:
    return {"event": "read", "stream": STREAM, "seq": seq, "code": code, "price_fen": price_fen}


def closed(seq: int) -> Event:
    return {"event": "basket_closed", "stream": STREAM, "seq": seq, "sha256": f"hash {seq}"}


SAID = [
    started(),
    beep(1, "rice", 100),
    beep(1, "tea", 101),
    closed(1),
    {"event": "state", "state": "slip", "seq": 1, "claim": "0123-4567-89AB-CDEF"},
    beep(2, "rice", 102),
    started(),
    closed(2),
]
FIRST = Recorded(STREAM, 1, "hash 1", None, claim_sha256(CLAIM), ("rice 100", "tea 101"))
SECOND = Recorded(STREAM, 2, "hash 2", None, None, ("rice 102",))


def test_a_good_account_has_no_fault() -> None:
    assert list(faults_of([FIRST, SECOND], SAID)) == []


def test_a_read_that_was_kept_and_not_heard_is_no_fault_where_its_till_died() -> None:
    assert list(faults_of([FIRST, SECOND._replace(reads=("rice 102", "milk 103"))], SAID)) == []


def test_a_basket_in_parts_is_one_basket() -> None:
    parts = [FIRST._replace(reads=("rice 100",)), SECOND._replace(part_of=1, reads=("tea 101",), sha256="hash 2")]

    assert list(faults_of(parts, [*SAID[:5], closed(2)])) == []


@pytest.mark.parametrize(
    ("recorded", "word"),
    [
        ((FIRST,), "lost"),
        ((SECOND,), "lost"),
        ((), "lost"),
        ((FIRST._replace(reads=("rice 100",)), SECOND), "lost"),
        ((FIRST._replace(reads=("tea 101", "rice 100")), SECOND), "lost"),
        ((FIRST._replace(sha256="hash of others"), SECOND), "other bytes"),
        ((FIRST._replace(claim_sha256=None), SECOND), "slip"),
        ((FIRST, SECOND, SECOND), "two baskets"),
        ((FIRST, SECOND, SECOND._replace(seq=3)), "doubled"),
        ((FIRST, SECOND._replace(reads=("rice 102", "rice 102"))), "doubled"),
        ((FIRST, SECOND._replace(reads=("rice 102", "milk 103", "milk 104"))), "more than was heard"),
        (
            (FIRST._replace(reads=("rice 100", "tea 101", "a 1")), SECOND._replace(reads=("rice 102", "b 2"))),
            "restarts",
        ),
    ],
)
def test_each_fault_is_named(recorded: tuple[Recorded, ...], word: str) -> None:
    assert word in " ".join(faults_of(recorded, SAID))
