from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from backend.certificates.history import History, ProductFact, TermFact, entries_by_key
from backend.certificates.model import Entry, Recognition
from backend.certificates.tables import registry_version
from backend.certificates.timeline import FOREVER_DAY, Segment, midnight_ms
from backend.storage.columns import IdArray, words
from backend.storage.transaction import hot

LATEST = 2**62
"""As known now: later than any registry version."""

_RECORDED = """
SELECT 'version', NULL::text, NULL::text, version, 0, NULL::int,
       NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::smallint, NULL::smallint
  FROM registry_version
UNION ALL
SELECT CASE WHEN listed THEN 'product' ELSE 'delisted' END, id::text, certificate::text, recorded_version,
       from_on - DATE '1970-01-01', until_on - DATE '1970-01-01',
       registry_key, product, model, category, NULL, NULL, grade, tier
  FROM certified_products WHERE {products} AND recorded_version <= %(known)s
UNION ALL
SELECT 'term', t.id::text, t.certificate::text, t.recorded_version,
       t.valid_from_on - DATE '1970-01-01', t.valid_until_on - DATE '1970-01-01',
       c.number, c.body, c.scheme, s.level, t.holder, t.enterprise, NULL, NULL
  FROM chosen h JOIN certificates c ON c.id = h.certificate JOIN schemes s ON s.code = c.scheme
       JOIN certificate_terms t ON t.certificate = c.id WHERE t.recorded_version <= %(known)s
UNION ALL
SELECT 'state', t.id::text, t.certificate::text, t.recorded_version,
       t.from_on - DATE '1970-01-01', t.until_on - DATE '1970-01-01',
       t.state, t.reason, NULL, NULL, NULL, NULL, NULL, NULL
  FROM chosen h JOIN certificate_states t ON t.certificate = h.certificate WHERE t.recorded_version <= %(known)s
"""
_BY_KEYS = (
    "WITH chosen AS MATERIALIZED (SELECT DISTINCT certificate FROM certified_products"
    " WHERE registry_key = ANY(%(keys)s::text[]) AND recorded_version <= %(known)s)"
    + _RECORDED.format(products="registry_key = ANY(%(keys)s::text[])")
)
_BY_NUMBERS = (
    "WITH chosen AS MATERIALIZED (SELECT id AS certificate FROM certificates WHERE (number, body) IN"
    " (SELECT * FROM unnest(%(numbers)s::text[], %(bodies)s::text[])))"
    + _RECORDED.format(
        products="registry_key = ANY(%(keys)s::text[]) AND certificate IN (SELECT certificate FROM chosen)"
    )
)
_BY_NUMBER = (
    "WITH chosen AS MATERIALIZED (SELECT id AS certificate FROM certificates WHERE number = %(number)s)"
    + _RECORDED.format(products="certificate IN (SELECT certificate FROM chosen)")
)

_BY_IDS = "WITH chosen AS MATERIALIZED (SELECT unnest(%(ids)s::uuid[]) AS certificate)" + _RECORDED.format(
    products="false"
)

_ALL = "WITH chosen AS MATERIALIZED (SELECT id AS certificate FROM certificates)" + _RECORDED.format(products="true")


@dataclass(frozen=True, slots=True)
class RegistryVersion:
    version: int
    recorded_at: datetime


def load_entries(
    connection: Connection, keys: Sequence[str], *, known_version: int = LATEST
) -> tuple[int, dict[str, tuple[Entry, ...]]]:
    """The registry version now, and the entries of `keys` as known in `known_version`; one statement."""
    if not keys:
        # Every batch asks, and nearly always only whether its cache still holds.
        return current_version(connection).version, {}
    version, histories = _histories(connection, _BY_KEYS, {"keys": words(keys), "known": known_version})
    return version, entries_by_key(histories.values())


def load_all_entries(connection: Connection) -> dict[str, tuple[Entry, ...]]:
    """The entries of every key that the registry knows now; one statement, and memory for all of them."""
    return entries_by_key(_histories(connection, _ALL, {"known": LATEST})[1].values())


def load_histories(
    connection: Connection, certificates: Sequence[tuple[str, str]], keys: Sequence[str]
) -> dict[tuple[str, str], History]:
    """What is recorded of certificates given as (number, body), with their products among `keys`."""
    params = {
        "numbers": words([number for number, _ in certificates]),
        "bodies": words([body for _, body in certificates]),
        "keys": words(keys),
        "known": LATEST,
    }
    histories = _histories(connection, _BY_NUMBERS, params)[1]
    return {(history.number, history.body): history for history in histories.values()}


def load_by_ids(connection: Connection, certificates: IdArray, *, known_version: int) -> dict[str, History]:
    """Terms and states of certificates, without products, as known in `known_version`; those that it knows, by id."""
    return _histories(connection, _BY_IDS, {"ids": certificates, "known": known_version})[1]


def load_certificate(connection: Connection, number: str, *, known_version: int = LATEST) -> tuple[History, ...]:
    """Everything recorded under a certificate number, which several bodies may have given, with all products."""
    histories = _histories(connection, _BY_NUMBER, {"number": number, "known": known_version})[1]
    return tuple(sorted(histories.values(), key=lambda history: history.body))


def load_recognitions(connection: Connection, *, known_version: int = LATEST) -> tuple[Recognition, ...]:
    """The recognitions known now; a later row with the same schemes, region and first day replaces the earlier one."""
    rows = hot(
        connection,
        "SELECT from_scheme, to_scheme, region, from_on - DATE '1970-01-01', until_on - DATE '1970-01-01', document"
        " FROM recognitions WHERE recorded_version <= %s ORDER BY recorded_version, id",
        (known_version,),
    ).fetchall()
    known = {
        (source, target, region, from_day): Recognition(
            source, target, region, midnight_ms(from_day), midnight_ms(_until(until_day)), document
        )
        for source, target, region, from_day, until_day, document in rows
    }
    return tuple(known.values())


def current_version(connection: Connection) -> RegistryVersion:
    """The registry version now, and when it came about. Not locked."""
    row = hot(connection, "SELECT version, recorded_at FROM registry_version", prepared=True).fetchone()
    assert row is not None
    return RegistryVersion(*row)


def lock_version(connection: Connection) -> RegistryVersion:
    """The current registry version, locked until the transaction ends: writers of the registry follow one another."""
    row = connection.execute(select(registry_version.c.version, registry_version.c.recorded_at).with_for_update()).one()
    return RegistryVersion(version=row.version, recorded_at=row.recorded_at)


def record_change(
    connection: Connection,
    locked: RegistryVersion,
    *,
    cause: str,
    now: datetime,
    by: str,
    batch: str | None = None,
    reason: str | None = None,
) -> int:
    """The new registry version. It is recorded no earlier than the one before, whatever the clock of the writer says,
    so that a past moment names one version.
    """
    recorded_at = max(now, locked.recorded_at)
    version = locked.version + 1
    hot(connection, "UPDATE registry_version SET version = %s, recorded_at = %s", (version, recorded_at))
    hot(
        connection,
        "INSERT INTO registry_changes (version, recorded_at, cause, batch, recorded_by, reason)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (version, recorded_at, cause, batch, by, reason),
    )
    return version


def _histories(connection: Connection, statement: str, params: dict[str, Any]) -> tuple[int, dict[str, History]]:
    rows = hot(connection, statement, params).fetchall()
    rows.sort(key=lambda row: (row[3], row[1] or ""))
    version = 0
    histories: dict[str, History] = {}
    for kind, _, certificate, recorded, _, _, number, body, scheme, level, *_ in rows:
        if kind == "version":
            version = recorded
        elif kind == "term" and certificate not in histories:
            histories[certificate] = History(certificate, number, body, scheme, level)
    for row in rows:
        if row[2] in histories:
            _add(histories[row[2]], row)
    return version, histories


def _add(history: History, row: Sequence[Any]) -> None:
    kind, row_id, _, _, from_day, until_day, *facts = row
    until = _until(until_day)
    if kind == "state":
        history.states.append(Segment(row_id, from_day, until, facts[0]))
    elif kind == "term":
        history.terms.append(Segment(row_id, from_day, until, TermFact(facts[4], facts[5])))
    else:
        key, product, model, category, _, _, grade, tier = facts
        fact = ProductFact(product, model, category, grade, tier) if kind == "product" else None
        history.products.setdefault(key, []).append(Segment(row_id, from_day, until, fact))


def _until(day: int | None) -> int:
    return FOREVER_DAY if day is None else day
