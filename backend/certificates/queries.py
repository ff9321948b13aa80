from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from backend.certificates.history import History
from backend.certificates.model import Entry, Standing
from backend.certificates.recording import Batch
from backend.certificates.store import LATEST, load_certificate, load_entries
from backend.certificates.validity import standing
from backend.storage.transaction import hot

CHANGES_MAX = 1_000
_BATCH = (
    "SELECT id::text, source, sha256, file_name, imported_at, imported_by, rows_changed, rows_unchanged, rows_refused"
    " FROM import_batches"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One registry version: why it came about, and the certificates it says something new of."""

    version: int
    recorded_at: datetime
    cause: str
    batch: str | None
    recorded_by: str
    reason: str | None
    certificates: int
    products: int


@dataclass(frozen=True, slots=True)
class StateRecord:
    row: str
    state: str
    from_on: date
    until_on: date | None
    reason: str | None
    recorded_at: datetime
    recorded_by: str


# From each category to the next by the index, however many products have it.
CATEGORIES = """
WITH RECURSIVE found AS (
  SELECT min(category) AS category FROM certified_products WHERE category IS NOT NULL
  UNION ALL
  SELECT (SELECT min(p.category) FROM certified_products p WHERE p.category > found.category) FROM found
  WHERE found.category IS NOT NULL)
SELECT category FROM found WHERE category IS NOT NULL"""


def by_key(connection: Connection, key: str) -> tuple[Entry, ...]:
    """How a registry key is certified, as known now; empty when it is not."""
    return load_entries(connection, [key])[1].get(key, ())


def by_number(connection: Connection, number: str, *, version: int = LATEST) -> tuple[History, ...]:
    """Certificates under this number, one for each body that gave it, with all their products."""
    return load_certificate(connection, number, known_version=version)


def as_known(
    connection: Connection, keys: Sequence[str], *, as_of_world_ms: int, as_known_at: datetime
) -> dict[str, Standing]:
    """What the registry, as it was at `as_known_at`, said of the moment `as_of_world_ms`, for each key."""
    return at_version(
        connection, keys, as_of_world_ms=as_of_world_ms, version=version_known_at(connection, as_known_at)
    )


def at_version(
    connection: Connection, keys: Sequence[str], *, as_of_world_ms: int, version: int = LATEST
) -> dict[str, Standing]:
    """The same as of a registry version, which a decision stores: exact, whatever clocks said."""
    entries = load_entries(connection, keys, known_version=version)[1]
    return {key: standing(entries.get(key, ()), as_of_world_ms) for key in keys}


def version_known_at(connection: Connection, moment: datetime) -> int:
    """The last registry version recorded at or before `moment`; 0 before the first."""
    statement = "SELECT coalesce(max(version), 0) FROM registry_changes WHERE recorded_at <= %s"
    return _one(connection, statement, (moment,))


def changes_since(connection: Connection, version: int, *, limit: int = 100) -> tuple[Change, ...]:
    """Versions after `version`, oldest first, at most `limit` (1,000)."""
    rows = hot(
        connection,
        "SELECT c.version, c.recorded_at, c.cause, c.batch::text, c.recorded_by, c.reason,"
        " (SELECT count(DISTINCT certificate) FROM"
        "   (SELECT certificate FROM certificate_states WHERE recorded_version = c.version UNION ALL"
        "    SELECT certificate FROM certificate_terms WHERE recorded_version = c.version UNION ALL"
        "    SELECT certificate FROM certified_products WHERE recorded_version = c.version) AS touched),"
        " (SELECT count(*) FROM certified_products WHERE recorded_version = c.version)"
        " FROM registry_changes c WHERE c.version > %s ORDER BY c.version LIMIT %s",
        (version, min(limit, CHANGES_MAX)),
    )
    return tuple(Change(*row) for row in rows)


def states_recorded(connection: Connection, certificate: str) -> tuple[StateRecord, ...]:
    """Every state row of a certificate (by id) in recording order, also those that later rows replaced."""
    rows = hot(
        connection,
        "SELECT s.id::text, s.state, s.from_on, s.until_on, s.reason, c.recorded_at, c.recorded_by"
        " FROM certificate_states s JOIN registry_changes c ON c.version = s.recorded_version"
        " WHERE s.certificate = %s ORDER BY s.recorded_version, s.id",
        (certificate,),
    )
    return tuple(StateRecord(*row) for row in rows)


def batch_of_content(connection: Connection, sha256: bytes) -> Batch | None:
    """The batch that imported exactly these bytes."""
    row = hot(connection, f"{_BATCH} WHERE sha256 = %s", (sha256,)).fetchone()
    return None if row is None else Batch(*row)


def last_imports(connection: Connection) -> tuple[Batch, ...]:
    """The latest batch of each source: how old our knowledge of it is."""
    rows = hot(
        connection,
        _BATCH.replace("SELECT", "SELECT DISTINCT ON (source)") + " ORDER BY source, imported_at DESC, id DESC",
    )
    return tuple(Batch(*row) for row in rows)


def scheme_names(connection: Connection) -> list[tuple[str, str, str]]:
    """Code, Chinese and English name of every scheme."""
    return hot(connection, "SELECT code, name_zh, name_en FROM schemes ORDER BY code").fetchall()


def scheme_ceilings(connection: Connection) -> dict[str, tuple[str, int]]:
    """What each scheme proves at best (U, M, E, S) and the highest rate a policy may pay for it, in basis points."""
    rows = hot(connection, "SELECT code, level, max_rate_bp FROM schemes").fetchall()
    return {code: (level, max_rate_bp) for code, level, max_rate_bp in rows}


def category_names(connection: Connection) -> frozenset[str]:
    """Every category that some certified product has."""
    return frozenset(row[0] for row in hot(connection, CATEGORIES))


def body_names(connection: Connection) -> list[tuple[str, str]]:
    """Approval number (or short name) and Chinese name of every body."""
    return hot(connection, "SELECT code, name_zh FROM bodies ORDER BY code").fetchall()


def _one(connection: Connection, statement: str, params: Sequence[Any]) -> int:
    row = hot(connection, statement, params).fetchone()
    assert row is not None
    return int(row[0])
