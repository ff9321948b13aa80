"""The Merkle tree of RFC 6962 (section 2.1), with SHA-256: roots, inclusion and consistency proofs. Pure.

Hashes of perfect subtrees are kept for every eighth level: `level` 0 holds leaves, `level` 1 the roots of 256 leaves, `level` 2
those of 65,536, each numbered from 0. All that a proof needs lies in two rows of 256 a level (`rows_of`), whatever the size.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

ROW_BITS = 8
ROW = 1 << ROW_BITS
EMPTY_ROOT = hashlib.sha256(b"").digest()
Lookup = Callable[[int, int], bytes]
"""The hash at (level, number)."""


class Row(NamedTuple):
    """`ROW` neighbours of one level, or as many of them as there are: numbers from `first` on."""

    level: int
    first: int


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, by the roots of its perfect subtrees from the left: the largest first."""

    def __init__(self, size: int, roots: Sequence[bytes]) -> None:
        """Raises ValueError where `roots` are not those of a tree of `size` leaves."""
        if len(roots) != size.bit_count():
            raise ValueError("not the frontier of a tree of that size")
        self.size = size
        self._roots = list(roots)

    @property
    def roots(self) -> tuple[bytes, ...]:
        return tuple(self._roots)

    @property
    def root(self) -> bytes:
        return _folded(self._roots)

    def add(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Appends a leaf; yields (level, number, hash) of each subtree that is kept and complete by it."""
        found, height, number = leaf, 0, self.size
        while number & 1:
            found = node_hash(self._roots.pop(), found)
            height, number = height + 1, number >> 1
            if height % ROW_BITS == 0:
                yield height // ROW_BITS, number, found
        self._roots.append(found)
        self.size += 1


def rows_of(places: Iterable[int], size: int) -> set[Row]:
    """Where the hashes lie that a proof needs which names the leaves `places` of the first `size`; each 0 <= place < size."""
    wanted = {*places, size - 1}
    levels = range(max(1, -(-(size - 1).bit_length() // ROW_BITS)))
    return {Row(level, place >> ROW_BITS * (level + 1) << ROW_BITS) for level in levels for place in wanted}


def inclusion(lookup: Lookup, place: int, size: int) -> list[bytes]:
    """The path from the leaf at `place` to the root of the first `size` leaves, from the leaf upwards (RFC 6962, 2.1.1)."""
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left(end - begin)
        if place < middle:
            path.append(_range(lookup, middle, end))
            end = middle
        else:
            path.append(_range(lookup, begin, middle))
            begin = middle
    return path[::-1]


def consistency(lookup: Lookup, old: int, new: int) -> list[bytes]:
    """Proof that the tree of `new` leaves begins with that of `old`, 0 < old <= new (RFC 6962, 2.1.2)."""
    path: list[bytes] = []
    begin, end, whole = 0, new, True
    while begin + old != end:
        middle = begin + _left(end - begin)
        if begin + old <= middle:
            path.append(_range(lookup, middle, end))
            end = middle
        else:
            path.append(_range(lookup, begin, middle))
            old -= middle - begin
            begin, whole = middle, False
    return ([] if whole else [_range(lookup, begin, end)]) + path[::-1]


def _range(lookup: Lookup, begin: int, end: int) -> bytes:
    """The root over leaves begin..end-1, a range in which RFC 6962 splits the tree."""
    count = end - begin
    if count & (count - 1):
        middle = begin + _left(count)
        return node_hash(_range(lookup, begin, middle), _range(lookup, middle, end))
    height = count.bit_length() - 1
    level, above = divmod(height, ROW_BITS)
    first = begin >> ROW_BITS * level
    return _perfect([lookup(level, number) for number in range(first, first + (1 << above))])


def _perfect(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def _folded(roots: Sequence[bytes]) -> bytes:
    if not roots:
        return EMPTY_ROOT
    *others, found = roots
    for root in reversed(others):
        found = node_hash(root, found)
    return found


def _left(count: int) -> int:
    """The largest power of two below `count` >= 2."""
    return 1 << (count - 1).bit_length() - 1
