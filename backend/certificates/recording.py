"""Adds rows to the registry, inside a transaction that holds `store.lock_version`. Nothing here changes a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from backend.certificates.compare import Changes
from backend.certificates.timeline import FOREVER_DAY, Segment
from backend.storage.columns import flags, numbers, words
from backend.storage.transaction import hot

BATCH_ROWS = 2_000
Told = Callable[[int], None]
"""Told how many rows have just been written."""

_EPOCH = "DATE '1970-01-01'"
_BODIES = """
INSERT INTO bodies (code, serial, name_zh)
SELECT code, serial, name FROM unnest(%s::text[], %s::text[], %s::text[]) AS n (code, serial, name)
ON CONFLICT DO NOTHING
"""
_ENTERPRISES = """
INSERT INTO enterprises (uscc, name, region)
SELECT uscc, name, substr(uscc, 3, 6) FROM unnest(%s::text[], %s::text[]) AS n (uscc, name)
ON CONFLICT DO NOTHING
"""
_CERTIFICATES = """
INSERT INTO certificates (id, number, body, scheme, recorded_version)
SELECT id, number, body, scheme, %s
  FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS n (id, number, body, scheme)
"""
_TERMS = f"""
INSERT INTO certificate_terms (id, certificate, valid_from_on, valid_until_on, holder, enterprise, recorded_version)
SELECT id, certificate, {_EPOCH} + from_day, {_EPOCH} + until_day, holder, enterprise, %s
  FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::text[], %s::text[])
       AS n (id, certificate, from_day, until_day, holder, enterprise)
"""
_STATES = f"""
INSERT INTO certificate_states (id, certificate, from_on, until_on, state, reason, recorded_version)
SELECT id, certificate, {_EPOCH} + from_day, {_EPOCH} + until_day, state, reason, %s
  FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::text[], %s::text[])
       AS n (id, certificate, from_day, until_day, state, reason)
"""
_PRODUCTS = f"""
INSERT INTO certified_products
       (id, certificate, from_on, until_on, registry_key, listed, product, model, category, grade, tier, recorded_version)
SELECT id, certificate, {_EPOCH} + from_day, {_EPOCH} + until_day, key, listed, product, model, category, grade, tier, %s
  FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::text[], %s::bool[], %s::text[], %s::text[], %s::text[],
              %s::smallint[], %s::smallint[])
       AS n (id, certificate, from_day, until_day, key, listed, product, model, category, grade, tier)
"""


@dataclass(frozen=True, slots=True)
class Batch:
    id: str
    source: str
    sha256: bytes
    file_name: str
    imported_at: datetime
    imported_by: str
    rows_changed: int
    rows_unchanged: int
    rows_refused: int


def record_batch(connection: Connection, batch: Batch) -> None:
    hot(
        connection,
        "INSERT INTO import_batches (id, source, sha256, file_name, imported_at, imported_by,"
        " rows_changed, rows_unchanged, rows_refused) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            batch.id,
            batch.source,
            batch.sha256,
            batch.file_name,
            batch.imported_at,
            batch.imported_by,
            batch.rows_changed,
            batch.rows_unchanged,
            batch.rows_refused,
        ),
    )


def record_changes(connection: Connection, found: Changes, version: int, told: Told) -> None:
    """Writes what a comparison found, 2,000 rows a statement, referenced rows first."""
    bodies = [(code, _serial(code), name) for code, name in found.bodies.items()]
    _each(bodies, lambda rows: hot(connection, _BODIES, _texts(rows)))
    _each(list(found.enterprises.items()), lambda rows: hot(connection, _ENTERPRISES, _texts(rows)))
    certificates = [(one.id, one.number, one.body, one.scheme) for one in found.certificates]
    _each(certificates, lambda rows: hot(connection, _CERTIFICATES, (version, *_texts(rows))), told)
    _each(found.terms, lambda rows: hot(connection, _TERMS, (version, *_terms(rows))), told)
    record_states(connection, found.states, version, told=told)
    _each(found.products, lambda rows: hot(connection, _PRODUCTS, (version, *_products(rows))), told)


def record_states(
    connection: Connection,
    states: Sequence[tuple[str, Segment[str]]],
    version: int,
    *,
    reason: str | None = None,
    told: Told = lambda _: None,
) -> None:
    """States of certificates, given by id, each from its day on."""

    def write(rows: Sequence[tuple[str, Segment[str]]]) -> object:
        facts = words([state.fact for _, state in rows]), words([reason] * len(rows))
        return hot(connection, _STATES, (version, *_periods(rows), *facts))

    _each(states, write, told)


def record_recognition(connection: Connection, recognition: Mapping[str, object], version: int) -> None:
    hot(
        connection,
        "INSERT INTO recognitions (id, from_scheme, to_scheme, region, from_on, until_on, document, recorded_version)"
        " VALUES (%(id)s, %(from_scheme)s, %(to_scheme)s, %(region)s, %(from_on)s, %(until_on)s, %(document)s,"
        " %(version)s)",
        {**recognition, "version": version},
    )


def _each(rows: Sequence[Any], write: Callable[[Sequence[Any]], object], told: Told = lambda _: None) -> None:
    for start in range(0, len(rows), BATCH_ROWS):
        chunk = rows[start : start + BATCH_ROWS]
        write(chunk)
        told(len(chunk))


def _texts(rows: Sequence[tuple[str | None, ...]]) -> list[str]:
    return [words(column) for column in zip(*rows, strict=True)]


def _periods(rows: Sequence[tuple[str, Segment[Any]]]) -> list[str]:
    return [
        words([segment.row for _, segment in rows]),
        words([certificate for certificate, _ in rows]),
        numbers([segment.from_day for _, segment in rows]),
        numbers([_until(segment) for _, segment in rows]),
    ]


def _terms(rows: Sequence[tuple[str, Segment[Any]]]) -> list[str]:
    facts = [segment.fact for _, segment in rows]
    return [*_periods(rows), words([fact.holder for fact in facts]), words([fact.enterprise for fact in facts])]


def _products(rows: Sequence[tuple[str, str, Segment[Any], Any]]) -> list[str]:
    facts = [fact for _, _, _, fact in rows]
    return [
        *_periods([(certificate, segment) for certificate, _, segment, _ in rows]),
        words([key for _, key, _, _ in rows]),
        flags([segment.fact is not None for _, _, segment, _ in rows]),
        words([fact.product for fact in facts]),
        words([fact.model for fact in facts]),
        words([fact.category for fact in facts]),
        numbers([fact.grade for fact in facts]),
        numbers([fact.tier for fact in facts]),
    ]


def _until(segment: Segment[Any]) -> int | None:
    return None if segment.until_day >= FOREVER_DAY else segment.until_day


def _serial(code: str) -> str | None:
    """The serial at the end of an approval number, which alone names the body (CNCA-R-2002-001: 001)."""
    return code.rpartition("-")[2] if code.startswith("CNCA-") else None
