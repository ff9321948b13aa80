"""Laws of the SQL: each statement names its city for every table, so that it stays within one node."""

import re

import pytest

from backend.storage.transaction import Database, observed
from tests.architecture.project import city_tables, statements
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, UNCERTIFIED, open_city, raw_read, read, resident, unit_label

OF_SEVERAL_CITIES = {"backend.outbox.queries.AFTER": "a bridge serves the tills of several cities, each by its key"}
MADE_BY_THE_SERVER = re.compile(
    r"\b(now|random|gen_random_uuid|nextval|clock_timestamp|uuidv7)\(|\bCURRENT_|\bLOCALTIME"
)
# Keywords are upper case, names lower: so an alias is told from the word that follows a table without one.
_READ = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+([a-z_]+)(?:\s+([a-z]\w*))?")
_WRITTEN = re.compile(r"\bINSERT INTO ([a-z_]+) \((\w+)[^)]*\)\s+(?:SELECT|VALUES \()\s*([^,\s]+)")
_AS_TEXT = re.compile(r"\b(\w+)::text(?=,|\s+FROM\b)")
_ORDERED = re.compile(r"\bORDER BY ([^)\n]+?)(?=\)|\n|$| LIMIT| FETCH| FOR)")
ORDERED_AS_TEXT = {
    "backend.outbox.expire.DELETE": "the last of a slice that was read already",
    "backend.targets.queries.IN_FORCE": "a city has some dozens of targets",
    "backend.targets.queries.LAST_BY_HAND": "a city has some dozens of targets",
}
_CITY_FIRST = {("city", "%(city)s"), ("city", "%s")}
_BOUND = re.compile(r"(?:\b(\w+)\.)?\bcity = %\(city\)s")


def unnamed(statement: str) -> list[str]:
    """Tables of cities that the statement reads, changes or writes without binding their city."""
    cities = city_tables()
    bound = [match[1] or "" for match in _BOUND.finditer(statement)]
    missing = []
    for table, alias in _READ.findall(statement):
        if table in cities and alias not in bound:
            missing.append(table)
        elif table in cities:
            bound.remove(alias)
    written = [table for table, column, value in _WRITTEN.findall(statement) if (column, value) in _CITY_FIRST]
    return missing + [t for t in re.findall(r"\bINTO ([a-z_]+)", statement) if t in cities and t not in written]


def as_text(statement: str) -> set[str]:
    """Columns that the statement shows as text and orders by under the same bare name: SQL takes the text, which is in no
    index, and reads all rows to sort them. `table.column` means the column.
    """
    ordered = {term.split()[0] for found in _ORDERED.findall(statement) for term in found.split(", ")}
    return ordered & set(_AS_TEXT.findall(statement))


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("SELECT x FROM baskets WHERE city = %(city)s", []),
        ("SELECT x FROM baskets WHERE x = 1", ["baskets"]),
        ("SELECT x FROM baskets b JOIN decisions d ON d.basket = b.basket WHERE b.city = %(city)s", ["decisions"]),
        ("SELECT x FROM (SELECT * FROM baskets b) q JOIN baskets b ON b.city = %(city)s", ["baskets"]),
        ("UPDATE accounts a SET balance = 0 FROM unnest(%(x)s::int[]) t(x) WHERE a.city = t.x", ["accounts"]),
        ("INSERT INTO transfers (city, line) SELECT %(city)s, t.line FROM unnest(%(x)s::int[]) t(line)", []),
        ("INSERT INTO transfers (line, city) SELECT t.line, %(city)s FROM unnest(%(x)s::int[]) t(line)", ["transfers"]),
        ("DELETE FROM downlinks WHERE message = %(message)s", ["downlinks"]),
    ],
)
def test_a_forgotten_city_is_found(statement: str, missing: list[str]) -> None:
    assert unnamed(statement) == missing


def test_every_statement_names_the_city_of_every_table() -> None:
    found = statements()

    assert len(found) > 50
    assert {name for name, sql in found.items() if unnamed(sql)} == OF_SEVERAL_CITIES.keys()


def test_an_order_by_the_text_of_a_column_is_found() -> None:
    assert as_text("SELECT act::text, at FROM acts ORDER BY at DESC, act DESC LIMIT 1") == {"act"}
    assert as_text("SELECT act::text, at FROM acts ORDER BY at DESC, acts.act DESC LIMIT 1") == set()


def test_no_statement_orders_by_the_text_of_a_column() -> None:
    assert {name for name, sql in statements().items() if as_text(sql)} == ORDERED_AS_TEXT.keys()


def test_ids_and_times_are_bound_not_made_by_the_server() -> None:
    assert [name for name, sql in statements().items() if MADE_BY_THE_SERVER.search(sql)] == []


def test_no_update_on_conflict_calls_a_function() -> None:
    """Citus refuses it on a distributed table."""
    clauses = {name: sql.partition("DO UPDATE SET")[2].partition("WHERE")[0] for name, sql in statements().items()}

    assert [name for name, clause in clauses.items() if re.search(r"\w\(", clause)] == []


def test_a_batch_of_everything_stays_within_its_city(engine_db: Database) -> None:
    """New, repeated and conflicting baskets, members of two cities, a spent code, units, caps, unknown and hostile labels,
    a value that is refused, and a policy without enough budget, which makes the batch run again with locks.
    """
    suzhou = open_city(engine_db, code=SUZHOU)
    doc = rules.document(budget=35, caps=[rules.cap("day", "day", 100), rules.cap("month", "month", 1_000)])
    city = open_city(engine_db, doc)
    till, code = city.till(), city.issue_code(resident(1))
    seen: list[str] = []

    with observed(seen.append):
        city.record(till.basket(read(FRIDGE), resident=resident(3)), till.basket(read(FRIDGE)))
        till.seq -= 1
        again = till.line(read(FRIDGE, qty=2))
        poison = till.basket(read(FRIDGE, qty=1))
        poison.basket.store = "\0"
        recorded = city.record(
            till.basket(read(FRIDGE), read(unit_label("A1")), member=code),
            till.basket(read(UNCERTIFIED), raw_read(b"\xff"), member=code),
            till.basket(read(FRIDGE), read(FRIDGE), member=suzhou.issue_code(resident(2))),
            till.arrival(again),
            poison,
        )

    assert [one.state for one in recorded] == ["recorded"] * 3 + ["quarantined"] * 2
    assert books.budget_left(engine_db, NANJING) == 0
    assert len(set(seen)) > 15
    assert [sql for sql in seen if unnamed(sql) or MADE_BY_THE_SERVER.search(sql)] == []
