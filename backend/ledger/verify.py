"""Invariants I4, I5 and I6: transfers are sound, balances are their fold, budgets add up. One city, read only, set-based.

Every break is streamed, so that memory stays bounded whatever the size of the ledger.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding, finding
from backend.ledger.queries import liability
from backend.storage.columns import numbers, words
from backend.storage.stream import streamed
from backend.storage.transaction import hot

TRANSFERS = "SELECT count(*) FROM transfers WHERE city = %(city)s"
ACCOUNTS = "SELECT count(*) FROM accounts WHERE city = %(city)s"
BUDGETS = "SELECT count(*) FROM accounts WHERE city = %(city)s AND account LIKE 'budget:%%'"

UNSOUND = """
SELECT t.reference::text, t.step, t.line, t.amount, t.unit, t.source, t.destination
FROM transfers t
LEFT JOIN accounts s ON s.city = %(city)s AND s.account = t.source AND s.unit = t.unit
LEFT JOIN accounts d ON d.city = %(city)s AND d.account = t.destination AND d.unit = t.unit
WHERE t.city = %(city)s
  AND (t.amount <= 0 OR t.source = t.destination OR s.account IS NULL OR d.account IS NULL)"""

# Which reason moves value from where to where; what is a resident's stays with its resident, its end and its policy.
OFF_ROUTES = """
SELECT t.reference::text, t.step, t.line, t.amount, t.unit, t.source, t.destination
FROM (SELECT *, string_to_array(source, ':') AS s FROM transfers WHERE city = %(city)s AND reason <> 'reversal') t
WHERE CASE t.reason
  WHEN 'award' THEN source LIKE 'budget:%%' AND CASE WHEN unit = 'fee' THEN destination ~ '^shop:.+:fee$'
                                                    ELSE destination ~ '^(resident|pending|collect):' END
  WHEN 'grant' THEN source = 'treasury:' || unit AND destination LIKE 'budget:%%'
  WHEN 'reclaim' THEN source LIKE 'budget:%%' AND destination = 'treasury:' || unit
  WHEN 'reserve' THEN s[1] = 'budget' AND destination LIKE 'reserved:%%:' || s[2] || ':' || unit
  WHEN 'unreserve' THEN s[1] = 'reserved' AND destination ~ ('^budget:' || s[3] || ':([0-9]+:)?' || unit || '$')
  WHEN 'release' THEN s[1] = 'pending' AND destination = concat_ws(':', 'resident', s[2], nullif(s[4], '-'), unit)
  WHEN 'collect' THEN s[1] = 'collect' AND destination = concat_ws(':', 'resident', s[2], nullif(s[5], '-'), unit)
  WHEN 'lapse' THEN s[1] = 'collect' AND destination = concat_ws(':', 'budget', s[3], unit)
  WHEN 'reinstate' THEN s[1] = 'budget' AND destination ~ ('^collect:[^:]+:' || s[2] || ':[0-9]+:[^:]+:' || unit || '$')
  WHEN 'expiry' THEN s[1] = 'resident' AND s[3] ~ '^e[0-9]{8}$' AND destination = 'expired:' || unit
  WHEN 'forfeit' THEN s[1] IN ('resident', 'pending') AND destination = 'expired:' || unit
  WHEN 'repay' THEN s[1] IN ('resident', 'pending', 'collect') AND destination = concat_ws(':', 'debt', s[2], unit)
  WHEN 'merge' THEN s[1] IN ('resident', 'pending', 'collect', 'debt')
    AND regexp_replace(source, '^([a-z]+):[^:]+', '\\1') = regexp_replace(destination, '^([a-z]+):[^:]+', '\\1')
  WHEN 'hold' THEN s[1] = 'resident' AND destination = concat_ws(':', 'held', s[2], reference, unit)
  WHEN 'redemption' THEN s[1] = 'held' AND s[3] = reference::text AND destination = 'redeemed:' || unit
  WHEN 'donation' THEN s[1] = 'held' AND s[3] = reference::text AND destination ~ ('^recipient:[^:]+:' || unit || '$')
  WHEN 'return' THEN destination LIKE 'budget:%%'
    AND CASE unit WHEN 'fee' THEN s[1] = 'shop' ELSE s[1] IN ('resident', 'pending', 'collect', 'debt')
                                                     OR unit = 'fen' AND s[1] = 'shop' END
  WHEN 'prepaid' THEN unit = 'fen' AND s[1] IN ('resident', 'pending', 'collect') AND destination ~ '^shop:.+:fen$'
  WHEN 'reimburse' THEN unit = 'fen' AND source = 'treasury:fen' AND destination ~ '^shop:.+:fen$'
  WHEN 'payment' THEN unit IN ('fee', 'fen') AND (s[1] = 'shop' AND destination LIKE 'paid:%%'
                                                  OR s[1] = 'paid' AND destination LIKE 'shop:%%')
  WHEN 'adjust' THEN s[1] = 'adjust' AND destination ~ '^(resident|debt|shop):'
    OR s[1] IN ('resident', 'debt', 'shop') AND destination ~ '^adjust:[^:]+:[a-z0-9]+$'
  END IS NOT TRUE"""

# What is held until a time comes is found again by that time alone.
UNWAITED = """
SELECT account, balance::text, due_at::text FROM accounts
WHERE city = %(city)s AND balance <> 0
  AND (due_at IS NULL AND account ~ '^(pending:|collect:|resident:[^:]+:e)'
       OR balance > 0 AND account LIKE 'debt:%%')"""

OVER_REINSTATED = """
SELECT account, sum(amount)::text FROM (
  SELECT source AS account, amount FROM transfers WHERE city = %(city)s AND reason = 'lapse'
  UNION ALL
  SELECT destination, -amount FROM transfers WHERE city = %(city)s AND reason = 'reinstate') moved
GROUP BY account HAVING sum(amount) < 0"""

UNMATCHED_REVERSALS = """
SELECT r.reference::text, r.step, r.line, r.amount, r.unit, r.source, r.destination
FROM transfers r
LEFT JOIN transfers t ON t.city = %(city)s AND t.reference = r.reference AND t.step = -r.step AND t.line = r.line
  AND t.source = r.destination AND t.destination = r.source AND t.amount = r.amount AND t.unit = r.unit
WHERE r.city = %(city)s AND (r.step < 0 OR r.reason = 'reversal')
  AND (t.reference IS NULL OR r.step > 0 OR r.reason <> 'reversal')"""

UNBALANCED = """
SELECT unit, sum(balance)::text FROM accounts WHERE city = %(city)s GROUP BY unit HAVING sum(balance) <> 0"""

UNFOLDED = """
WITH folded AS (
  SELECT account, sum(amount) AS amount FROM (
    SELECT destination AS account, amount FROM transfers WHERE city = %(city)s
    UNION ALL
    SELECT source, -amount FROM transfers WHERE city = %(city)s) moved
  GROUP BY account)
SELECT account, a.balance::text, f.amount::text
FROM (SELECT account, balance FROM accounts WHERE city = %(city)s) a FULL JOIN folded f USING (account)
WHERE a.balance IS DISTINCT FROM coalesce(f.amount, 0)"""

OFF_BUDGETS = """
WITH moved AS (
  SELECT account, coalesce(sum(amount) FILTER (WHERE treasury AND reason <> 'reclaim'), 0) AS granted,
         coalesce(-sum(amount) FILTER (WHERE reason = 'reclaim'), 0) AS reclaimed,
         coalesce(-sum(amount) FILTER (WHERE NOT treasury), 0) AS spent,
         coalesce(-sum(amount) FILTER (WHERE reason = 'award'), 0) AS paid,
         coalesce(sum(amount) FILTER (WHERE reason = 'return'), 0) AS back
  FROM (
    SELECT destination AS account, amount, source LIKE 'treasury:%%' AS treasury, reason FROM transfers
    WHERE city = %(city)s AND destination LIKE 'budget:%%'
    UNION ALL
    SELECT source, -amount, destination LIKE 'treasury:%%', reason FROM transfers
    WHERE city = %(city)s AND source LIKE 'budget:%%') sides
  GROUP BY account),
documented AS (
  SELECT account, sum(amount) AS amount FROM unnest(%(accounts)s::text[], %(amounts)s::bigint[]) t(account, amount)
  GROUP BY account)
SELECT account, a.balance::text, a.floor::text, m.granted::text, m.spent::text, m.reclaimed::text, m.back::text,
       d.amount::text
FROM (SELECT account, balance, floor FROM accounts WHERE city = %(city)s AND account LIKE 'budget:%%') a
FULL JOIN moved m USING (account) FULL JOIN documented d USING (account)
WHERE a.balance IS NULL OR a.balance < 0 OR a.floor IS DISTINCT FROM 0
   OR a.balance + coalesce(m.spent, 0) + coalesce(m.reclaimed, 0) <> coalesce(m.granted, 0)
   OR coalesce(m.granted, 0) IS DISTINCT FROM coalesce(d.amount, 0) OR m.back > m.paid"""


_FAULTS = (
    (UNSOUND, "no sound transfer"),
    (OFF_ROUTES, "its reason moves nothing there"),
    (UNMATCHED_REVERSALS, "mirrors no posting"),
)


def transfers_are_sound(connection: Connection, city: str) -> Finding:
    """I4: every transfer moves a positive amount between two accounts of its unit, a reversal mirrors its posting once,
    every reason moves value where the chart lets it, and the balances of a unit sum to zero.
    """
    return finding("I4", city, _count(connection, TRANSFERS, city), _unsound(connection, city))


def balances_are_folds(connection: Connection, city: str) -> Finding:
    """I5: the stored balance of every account is the sum of what its transfers brought and took."""
    rows = streamed(connection, UNFOLDED, {"city": city})
    breaks = (
        Break(f"account {account}", f"balance {balance or 'no account'}, transfers sum to {folded or '0'}")
        for account, balance, folded in rows
    )
    return finding("I5", city, _count(connection, ACCOUNTS, city), breaks)


def budgets_add_up(
    connection: Connection, city: str, documented: Mapping[str, int], off_reserved: Iterable[Break] = ()
) -> Finding:
    """I6: left >= 0, left + spent + reserved + reclaimed = granted, where what came back with goods is not spent, and never
    more came back than had been paid; granted = what the published documents say; what was issued and did not come back is
    pending, to be collected, available, used, expired or due to shops, but for what is owed; nothing waits for no time.

    `documented`: budget account -> the sum of all versions' budgets. What went to a quote's account is spent or reserved;
    `off_reserved`: quotes whose accounts do not hold what is promised, which the use case finds.
    """
    names = sorted(documented)
    params = {"city": city, "accounts": words(names), "amounts": numbers([documented[name] for name in names])}
    breaks = (
        Break(
            f"account {account}",
            f"left {left or 'no account'} (floor {floor}), granted {granted or '0'}, spent or reserved {spent or '0'},"
            f" reclaimed {reclaimed or '0'}, came back {back or '0'}, documents grant {document or '0'}",
        )
        for account, left, floor, granted, spent, reclaimed, back, document in streamed(connection, OFF_BUDGETS, params)
    )
    return finding(
        "I6", city, _count(connection, BUDGETS, city), chain(breaks, off_reserved, _unaccounted(connection, city))
    )


def _unaccounted(connection: Connection, city: str) -> Iterator[Break]:
    for one in liability(connection, city):
        if not one.adds_up:
            yield Break(f"unit {one.unit}", f"issued is not what is somewhere: {one}")
    for account, balance, due_at in streamed(connection, UNWAITED, {"city": city}):
        yield Break(f"account {account}", f"holds {balance}, due {due_at or 'never'}")
    for account, amount in streamed(connection, OVER_REINSTATED, {"city": city}):
        yield Break(f"account {account}", f"reinstated more than lapsed: {amount}")


def _unsound(connection: Connection, city: str) -> Iterator[Break]:
    for statement, fault in _FAULTS:
        for reference, step, line, amount, unit, source, destination in streamed(connection, statement, {"city": city}):
            place = f"transfer {reference} step {step} line {line}"
            yield Break(place, f"{fault}: {amount} {unit} from {source} to {destination}")
    for unit, total in streamed(connection, UNBALANCED, {"city": city}):
        yield Break(f"unit {unit}", f"balances sum to {total}, not 0")


def _count(connection: Connection, statement: str, city: str) -> int:
    row = hot(connection, statement, {"city": city}).fetchone()
    assert row is not None
    counted: int = row[0]
    return counted
