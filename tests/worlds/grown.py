"""A city made many times as large by SQL alone: each of its baskets, residents, postings and cases once more, and once more.

Whatever belongs together stays together: an id becomes another one in the same way wherever it stands, so the copies balance
as the rows do that they are made of. What all share (policies, budgets, shops, statements) holds so many times as much.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

_SHARED_IDS = frozenset({"policy_version", "certificate_row", "official", "payment"})
"""Of rows that are not copied."""
_HASHES = frozenset({"claim_sha256", "token_hash", "code_hash", "request_sha256", "payload_sha256"})
_ADDRESSES = frozenset({"account", "source", "destination"})
_OF_STATEMENTS = frozenset({"statement_lines", "statement_disputes", "settlement_payment_lines"})
"""Whose lines count on where the copy before ends."""
_LINES_BEFORE = """t.line_no + g * (SELECT s.lines FROM seeds.statements s
  WHERE s.city = t.city AND s.month = t.month AND s.retailer = t.retailer)"""
_NAMES = {"stores": "store", "device_directory": "device", "device_presence": "device", "device_keys": "device"}
_NAMES |= {"pending_products": "key", "certificates": "number", "certified_products": "registry_key"}

SCANS = (
    "transfers",
    "baskets",
    "statement_lines",
    "cap_counters",
    "decisions",
    "accounts",
    "settlement_payment_lines",
    "further_awards",
    "hold_proposals",
    "hold_rulings",
    "open_holds",
    "redemptions",
    "returns",
    "statement_disputes",
    "vouchers",
)
"""What a scan, and who scanned, leaves behind; the longest first."""
PEOPLE = ("residents", "resident_sessions", "access_log")
CASES = (
    "acts",
    "adjustments",
    "appeal_proposals",
    "appeals",
    "audit_samples",
    "claim_holds",
    "exports",
    "label_reports",
    "missing_points",
    "missing_proposals",
    "official_changes",
    "pending_products",
    "policy_drafts",
    "quarantine",
    "report_steps",
    "rollouts",
    "store_suspensions",
)
SHOPS = ("stores", "device_directory", "device_keys", "device_presence")
REGISTRY = ("certificates", "certificate_terms", "certificate_states", "certified_products")
_SUMS = {
    "statements": ("lines", "fee_fen", "subsidy_fen"),
    "settlement_months": ("lines",),
    "settlement_payments": ("lines", "amount_fen"),
    "settlement_payees": ("lines", "amount_fen"),
    "settlement_payment_statements": ("lines", "amount_fen"),
}

# Budgets are granted once: what is not granted is what the copies moved.
ACCOUNTS = """
UPDATE accounts a SET balance = (a.balance - g.granted) * %(times)s + g.granted, version = a.version * %(times)s
FROM (SELECT c.account, coalesce(sum(CASE WHEN t.destination = c.account THEN t.amount ELSE -t.amount END), 0) AS granted
      FROM accounts c LEFT JOIN transfers t ON t.city = %(city)s AND c.account IN (t.source, t.destination)
        AND (starts_with(t.source, 'treasury:') OR starts_with(t.destination, 'treasury:'))
      WHERE c.city = %(city)s AND c.account !~ '[0-9a-f]{8}-' GROUP BY c.account) g
WHERE a.city = %(city)s AND a.account = g.account"""

PAID = "UPDATE transfers SET amount = amount * %(times)s WHERE city = %(city)s AND reason = 'payment'"

ANOTHER = """
CREATE OR REPLACE FUNCTION pg_temp.another(of uuid, copy bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (left(of::text, 13) || left(md5(of::text || copy), 20))::uuid $$"""
_ID = "substring({0} from '[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}')"

COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum"""


def grow(
    url: str, city: str, copies: Iterable[int], tables: Iterable[str], *, apart_ms: int = 1_000, writers: int = 1
) -> None:
    """Adds the rows of `city` in `tables` again, once for each number of `copies`; a number is used once in a database.
    A copy is `apart_ms` later than the one before it. Only what was there before the first copy is copied. More `writers`
    than one are for tables that do not refer to each other.

    All copies of a row follow each other, so that a table lies in the order of its time, as a city's own does.
    """
    numbers, names = list(copies), list(tables)
    with psycopg.connect(url, autocommit=True) as owner:
        for name in ("statements", *names):
            _remember(owner, name)
    facts = {"city": city, "first": numbers[0], "last": numbers[-1]}
    with ThreadPoolExecutor(writers) as pool:
        for grown in [pool.submit(_grow, url, name, apart_ms, facts) for name in names]:
            grown.result()


def _grow(url: str, name: str, apart_ms: int, facts: Mapping[str, Any]) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(ANOTHER)
        owner.execute(_inserting(owner, name, apart_ms), facts)  # type: ignore[call-overload]  # names of ours


def add_up(url: str, city: str, times: int) -> None:
    """What is shared by all copies holds `times` as much as one of them: budgets, shops' accounts, statements."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(ACCOUNTS, {"city": city, "times": times})
        owner.execute(PAID, {"city": city, "times": times})
        for name, columns in _SUMS.items():
            changed = ", ".join(f"{column} = {column} * %(times)s" for column in columns)
            owner.execute(f"UPDATE {name} SET {changed} WHERE city = %(city)s", {"city": city, "times": times})  # type: ignore[call-overload]  # names of ours


def _remember(owner: psycopg.Connection[Any], name: str) -> None:
    owner.execute("CREATE SCHEMA IF NOT EXISTS seeds")
    once = (
        "WHERE reason <> 'payment' AND 'treasury' NOT IN (split_part(source, ':', 1), split_part(destination, ':', 1))"
    )
    own = once if name == "transfers" else ""
    owner.execute(f"CREATE TABLE IF NOT EXISTS seeds.{name} AS SELECT * FROM {name} {own}")  # type: ignore[call-overload]  # names of ours


def _inserting(owner: psycopg.Connection[Any], name: str, apart_ms: int) -> str:
    columns = owner.execute(COLUMNS, [name]).fetchall()
    written = ", ".join(f'"{column}"' for column, _ in columns)
    values = ", ".join(_values(name, columns, apart_ms))
    of_city = "WHERE city = %(city)s" if any(column == "city" for column, _ in columns) else ""
    return (
        f"INSERT INTO {name} ({written}) SELECT {values}"
        f" FROM (SELECT *, generate_series(%(first)s::bigint, %(last)s::bigint) AS g FROM seeds.{name} {of_city}) t"
        f" ON CONFLICT DO NOTHING"
    )


def _values(name: str, columns: Iterable[tuple[str, str]], apart_ms: int) -> Iterator[str]:
    for column, kind in columns:
        here = f't."{column}"'
        if kind == "uuid" and column not in _SHARED_IDS:
            yield f"pg_temp.another({here}, g)"
        elif kind == "bytea" and column in _HASHES:
            yield f"sha256({here} || g::text::bytea)"
        elif kind.startswith("timestamp"):
            yield f"{here} + g * interval '{apart_ms} ms'"
        elif column in _ADDRESSES:
            own = f"{_ID.format(here)}"
            yield f"COALESCE(replace({here}, {own}, pg_temp.another({own}::uuid, g)::text), {here})"
        elif column == "line_no" and name in _OF_STATEMENTS:
            yield _LINES_BEFORE
        elif _NAMES.get(name) == column:
            yield f"{here} || '-' || g"
        else:
            yield here
