"""The tree is that of RFC 6962, whatever its size: held to the definitions of the RFC, word for word."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.checkpoints.merkle import (
    EMPTY_ROOT,
    ROW,
    Frontier,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    rows_of,
)

MAX = 1_200
LEAVES = [leaf_hash(b"%d" % number) for number in range(MAX)]


def mth(leaves: list[bytes]) -> bytes:
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY_ROOT
    k = split(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], known: bool) -> list[bytes]:  # noqa: FBT001 - as in the RFC
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], known=False), mth(leaves[:k])]


@pytest.fixture(scope="module")
def kept() -> dict[tuple[int, int], bytes]:
    """All that a log of the longest size keeps."""
    frontier, found = Frontier(0, []), {}
    for number, leaf in enumerate(LEAVES):
        found[0, number] = leaf
        found |= {(level, place): value for level, place, value in frontier.add(leaf)}
    return found


def within(kept: dict[tuple[int, int], bytes], places: list[int], size: int) -> Callable[[int, int], bytes]:
    """A look-up that knows the rows a proof says it needs, and no other."""
    rows = rows_of(places, size)

    def lookup(level: int, number: int) -> bytes:
        assert any(row.level == level and row.first <= number < row.first + ROW for row in rows)
        return kept[level, number]

    return lookup


def test_nothing_and_one_leaf_are_as_the_rfc_says() -> None:
    assert Frontier(0, []).root == EMPTY_ROOT == hashlib.sha256().digest()
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(st.integers(1, MAX), st.data())
def test_a_log_goes_on_from_its_frontier(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    first = Frontier(0, [])
    for leaf in LEAVES[:cut]:
        list(first.add(leaf))
    second = Frontier(first.size, first.roots)
    for leaf in LEAVES[cut:size]:
        list(second.add(leaf))

    assert second.root == mth(LEAVES[:size])


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="not the frontier"):
        Frontier(3, [LEAVES[0]])


@given(st.integers(1, MAX), st.data())
def test_a_proof_is_the_rfcs_and_needs_two_rows_a_level(
    kept: dict[tuple[int, int], bytes], size: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))

    assert inclusion(within(kept, [place], size), place, size) == path(place, LEAVES[:size])
    assert consistency(within(kept, [old - 1], size), old, size) == subproof(old, LEAVES[:size], known=True)
    assert len(rows_of([place], 5_000_000)) <= 6
