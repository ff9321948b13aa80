"""The auditor's own verification of a city's ledger and of the acts of its officials. It shares no code with the backend, so
that no fault is in both; copy it, read it, run it on a machine of your own: Python 3.11, psycopg and cryptography suffice.

    python auditor.py --database URL --city 320100 --key 'greenpoints/320100/ledger+…' [checkpoint.txt …]

The files are checkpoints that you kept (of `/api/public/v1/checkpoints`), those in the database are checked as well. Every
break is printed with its place; exit code 1 when there is any. Formats: RFC 6962 (tree), C2SP signed-note (checkpoints).
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TRANSFER = "t.city = %(city)s AND t.reference = e.reference AND t.step = e.step AND t.line = e.line AND NOT e.act"
ACT = "a.city = %(city)s AND a.act = e.reference AND e.step = 0 AND e.line = 0 AND e.act"
TOLD_OF_TRANSFER = 6
ENTRIES = f"""
SELECT e.entry, lag(e.entry, 1, -1::bigint) OVER (ORDER BY e.entry), e.leaf, e.chain, e.act, e.reference::text, e.step, e.line,
       t.reason, t.unit, t.source, t.destination, t.amount, t.recorded_at,
       a.who, a.role, a.what, a.kind, a.key, a.reason, a.ticket, a.before, a.after, a.request, a.at
FROM log_entries e LEFT JOIN transfers t ON {TRANSFER} LEFT JOIN acts a ON {ACT}
WHERE e.city = %(city)s ORDER BY e.entry"""
UNSEALED = f"""
SELECT u.place FROM (
  SELECT 'transfer ' || t.reference || '/' || t.step || '/' || t.line AS place, t.recorded_at FROM transfers t
  WHERE t.city = %(city)s AND NOT EXISTS (SELECT FROM log_entries e WHERE e.city = %(city)s AND {TRANSFER})
  UNION ALL
  SELECT 'act ' || a.act, a.at FROM acts a
  WHERE a.city = %(city)s AND NOT EXISTS (SELECT FROM log_entries e WHERE e.city = %(city)s AND {ACT})) u
WHERE u.recorded_at < greatest(%(newest)s::timestamptz, (SELECT sealed_until FROM log_heads WHERE city = %(city)s))
  - interval '2 hours'"""
SEALED_LATE = f"""
SELECT place FROM (
  SELECT e.entry, coalesce(t.recorded_at, a.at) AS at,
         CASE WHEN e.act THEN 'act ' || a.act ELSE 'transfer ' || t.reference || '/' || t.step || '/' || t.line END AS place,
         max(coalesce(t.recorded_at, a.at)) OVER (ORDER BY e.entry ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
  FROM log_entries e LEFT JOIN transfers t ON {TRANSFER} LEFT JOIN acts a ON {ACT}
  WHERE e.city = %(city)s) sealed
WHERE at < newest - interval '2 hours' ORDER BY entry"""


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def opened(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint whose signature is the city's. Raises ValueError."""
    name, key_id, encoded = vkey.split("+", 2)
    text, _, signatures = note.partition("\n\n")
    origin, size, root = (text + "\n").splitlines()
    if origin != name:
        raise ValueError(f"of {origin}, not of {name}")
    signed = next((line.split()[-1] for line in signatures.splitlines() if line.startswith(f"— {name} ")), "")
    raw, key = base64.b64decode(signed), base64.b64decode(encoded)
    if raw[:4].hex() != key_id or sha256(name.encode() + b"\n" + key)[:4].hex() != key_id:
        raise ValueError("not signed by this key")
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], f"{text}\n".encode())
    return int(size), base64.b64decode(root)


class Tree:
    """The root over all leaves so far: perfect subtrees of falling size."""

    def __init__(self) -> None:
        self.peaks: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        self.peaks.append((1, leaf))
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (size, left), (_, right) = self.peaks[-2:]
            self.peaks[-2:] = [(2 * size, sha256(b"\x01" + left + right))]

    def root(self) -> bytes:
        found = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            found = sha256(b"\x01" + peak + found)
        return found


def content(city: str, named: list[Any], row: tuple[Any, ...]) -> bytes:
    """What was hashed of a transfer or an act: its name, then what is told of it, then its moment."""
    *told, at = row
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps([city, *named, *told, moment], ensure_ascii=False, separators=(",", ":")).encode()


def breaks(connection: psycopg.Connection, city: str, kept: dict[int, bytes]) -> Iterator[str]:
    """Each break, with its place: an entry's number, or the entries between two checkpoints."""
    tree, chain, size, before = Tree(), bytes(32), 0, 0
    newest: datetime | None = None
    with connection.cursor(name="entries") as cursor:
        cursor.execute(ENTRIES, {"city": city})
        for entry, previous, leaf, link, act, reference, step, line, *told in cursor:
            kind, named = ("act", ["act", reference]) if act else ("transfer", [reference, step, line])
            row = told[TOLD_OF_TRANSFER:] if act else told[:TOLD_OF_TRANSFER]
            place = f"entry {entry}, {kind} {reference}" + ("" if act else f"/{step}/{line}")
            if entry != previous + 1:
                yield f"{place}: entries {previous + 1} to {entry - 1} are gone"
            if row[-1] is None:
                yield f"{place}: the {kind} is gone"
            elif sha256(b"\x00" + content(city, named, tuple(row))) != leaf:
                yield f"{place}: the {kind} is not what was sealed"
            newest = max(filter(None, (newest, row[-1])), default=None)
            if sha256(chain + leaf) != link:
                yield f"{place}: does not follow what stands before it"
            tree.add(leaf)
            chain, size = link, entry + 1
            if kept.get(size, tree.root()) != tree.root():
                yield f"entries {before} to {entry}: not what checkpoint {size} was signed over"
            before = size if size in kept else before
    yield from missing(connection, city, [one for one in kept if one > size], size, newest)


def missing(
    connection: psycopg.Connection, city: str, longer: list[int], size: int, newest: datetime | None
) -> Iterator[str]:
    """What checkpoints of more entries than the log's `size` cover, and what is old and has no entry: old beside the `newest`
    row that has one, whatever the city says of how far it sealed.
    """
    for gone in sorted(longer):
        yield f"entries {size} to {gone - 1}: gone, checkpoint {gone} was signed over them"
    for (place,) in connection.execute(UNSEALED, {"city": city, "newest": newest}):
        yield f"{place}: put in later, no entry has it"
    for (place,) in connection.execute(SEALED_LATE, {"city": city}):
        yield f"{place}: put in later, sealed hours after the time that it bears"


def main() -> int:
    parser = argparse.ArgumentParser(description="Verifies a city's ledger against its signed checkpoints.")
    for name in ("--database", "--city", "--key"):
        parser.add_argument(name, required=True)
    parser.add_argument("checkpoints", nargs="*", type=Path)
    given = parser.parse_args()
    notes = [(str(path), path.read_text(encoding="utf-8")) for path in given.checkpoints]
    kept: dict[int, bytes] = {}
    found = []
    with psycopg.connect(given.database) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rows = connection.execute("SELECT size, note FROM checkpoints WHERE city = %s", [given.city])
        for origin, note in [*notes, *((f"checkpoint {size} in the database", note) for size, note in rows)]:
            try:
                size, root = opened(note, given.key)
            except InvalidSignature:
                found.append(f"{origin}: its signature is not the key's")
                continue
            except ValueError as error:
                found.append(f"{origin}: {error}")
                continue
            if kept.setdefault(size, root) != root:
                found.append(f"{origin}: another root of {size} entries was signed (split view)")
        found += breaks(connection, given.city, kept)
    found.append(f"{len(kept)} checkpoints, newest {max(kept, default=0)} entries: {len(found)} breaks")
    sys.stdout.write("\n".join(found) + "\n")
    return 1 if len(found) > 1 or not kept else 0


if __name__ == "__main__":
    sys.exit(main())
