"""What a city's tables say, read by SQL of the tests' own, and the equations that must hold between them."""

from typing import Any, NamedTuple

from sqlalchemy import text

from backend.ledger import chart
from backend.storage.transaction import Database


def rows(database: Database, statement: str, **values: object) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


class Decided(NamedTuple):
    outcome: str
    reason: str
    award: int


def decided(database: Database, city: str) -> list[Decided]:
    """Outcome, reason and award of every scan, in the order of till, number and line."""
    found = rows(
        database,
        "SELECT d.outcome, d.reason, d.award FROM decisions d JOIN baskets b ON b.city = d.city AND b.basket = d.basket"
        " WHERE d.city = :city ORDER BY b.device, b.stream, b.seq, d.line_no, d.decision_no",
        city=city,
    )
    return [Decided(*row) for row in found]


def columns(database: Database, city: str, names: str) -> list[tuple[Any, ...]]:
    """Columns of the decisions, ordered as in `decided`."""
    return rows(
        database,
        f"SELECT {names} FROM decisions d JOIN baskets b ON b.city = d.city AND b.basket = d.basket"
        " WHERE d.city = :city ORDER BY b.device, b.stream, b.seq, d.line_no, d.decision_no",
        city=city,
    )


def balance(database: Database, city: str, account: str) -> int:
    found = rows(
        database, "SELECT balance FROM accounts WHERE city = :city AND account = :account", city=city, account=account
    )
    return found[0][0] if found else 0


def wallet(database: Database, city: str, person: str, unit: str = "points") -> int:
    return balance(database, city, chart.wallet(person, unit))


def budget_left(database: Database, city: str, policy: str = "green", unit: str = "points") -> int:
    return sum(balance(database, city, account) for account in chart.budget(policy, unit))


def count(database: Database, table: str, city: str) -> int:
    return int(rows(database, f"SELECT count(*) FROM {table} WHERE city = :city", city=city)[0][0])


def quarantined(database: Database, city: str) -> list[str]:
    found = rows(database, "SELECT reason FROM quarantine WHERE city = :city ORDER BY recorded_at, entry", city=city)
    return [reason for (reason,) in found]


def wallets(database: Database, city: str) -> dict[str, int]:
    found = rows(
        database,
        "SELECT account, balance FROM accounts WHERE city = :city AND account LIKE 'resident:%' AND balance <> 0",
        city=city,
    )
    return dict(found)


def assert_balanced(database: Database, city: str) -> None:
    """Awards = transfers; less what came back with goods = what residents hold or owe = what counters say = what left the
    budgets; every balance is the fold of its transfers; nothing is below its floor or above its cap.
    """
    awarded, moved, returned, held, granted, left = rows(
        database,
        "SELECT (SELECT coalesce(sum(award), 0) FROM decisions WHERE city = :city),"
        " (SELECT coalesce(sum(amount), 0) FROM transfers WHERE city = :city AND reason = 'award'),"
        " (SELECT coalesce(sum(amount), 0) FROM transfers WHERE city = :city AND reason = 'return'),"
        " (SELECT coalesce(sum(balance), 0) FROM accounts WHERE city = :city AND account !~ '^(treasury|budget):'),"
        " (SELECT coalesce(sum(amount), 0) FROM transfers WHERE city = :city AND reason = 'grant'),"
        " (SELECT coalesce(sum(balance), 0) FROM accounts WHERE city = :city AND account LIKE 'budget:%')",
        city=city,
    )[0]
    assert awarded == moved
    assert moved - returned == held == granted - left
    assert _unfolded(database, city) == []
    assert _without_transfer(database, city) == []
    assert _miscounted(database, city) == []


def _unfolded(database: Database, city: str) -> list[tuple[Any, ...]]:
    """Accounts whose balance is not the fold of their transfers, or lies below their floor."""
    return rows(
        database,
        "SELECT a.account, a.balance, coalesce(sum(t.amount), 0) FROM accounts a LEFT JOIN"
        " (SELECT destination AS account, amount FROM transfers WHERE city = :city UNION ALL"
        "  SELECT source, -amount FROM transfers WHERE city = :city) t ON t.account = a.account"
        " WHERE a.city = :city GROUP BY a.account, a.balance, a.floor"
        " HAVING a.balance <> coalesce(sum(t.amount), 0) OR a.balance < a.floor",
        city=city,
    )


def _without_transfer(database: Database, city: str) -> list[tuple[Any, ...]]:
    """Awards that are not exactly one transfer to their resident, and transfers without an award."""
    return rows(
        database,
        "SELECT coalesce(d.basket, t.reference) FROM"
        " (SELECT * FROM decisions WHERE city = :city AND award > 0) d FULL JOIN"
        " (SELECT * FROM transfers WHERE city = :city AND reason = 'award') t"
        " ON t.reference = d.basket AND t.step = d.decision_no AND t.line = d.line_no"
        " AND t.amount = d.award AND t.unit = d.unit AND t.destination = 'resident:' || d.resident || ':' || d.unit"
        " WHERE d.basket IS NULL OR t.reference IS NULL",
        city=city,
    )


def _miscounted(database: Database, city: str) -> list[tuple[Any, ...]]:
    """Counters that are not the sum of the awards, less what came back, of their policy, period (Asia/Shanghai), person."""
    return rows(
        database,
        "SELECT c.cap, c.period, c.person, c.used, coalesce(sum(d.award), 0) FROM cap_counters c LEFT JOIN"
        " (SELECT d.resident, v.policy, d.award - (SELECT coalesce(sum(t.amount), 0) FROM returns r JOIN transfers t"
        "   ON t.city = :city AND t.reason = 'return' AND t.reference = r.return_id AND t.step = r.place + 1"
        "   WHERE r.city = :city AND r.basket = d.basket AND r.line_no = d.line_no) AS award,"
        " (b.sold_at AT TIME ZONE 'Asia/Shanghai')::date::text AS sold_on"
        "  FROM decisions d JOIN baskets b ON b.city = :city AND b.basket = d.basket"
        "  JOIN policy_versions v ON v.city = :city AND v.version = d.policy_version"
        "  WHERE d.city = :city AND d.award > 0) d"
        " ON d.resident = c.person AND d.policy = split_part(c.cap, '/', 1)"
        " AND (c.period = '-' OR starts_with(d.sold_on, c.period))"
        " WHERE c.city = :city GROUP BY c.cap, c.period, c.person, c.used, c.allowed"
        " HAVING c.used <> coalesce(sum(d.award), 0) OR c.used > c.allowed",
        city=city,
    )
