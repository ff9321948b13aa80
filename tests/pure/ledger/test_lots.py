"""Laws of what is taken from which lot, and of what becomes of lots whose time has come."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.ledger import chart, lots
from backend.ledger.model import Reason

LI = "01900000-0000-7000-8000-000000000001"
DAY = date(2026, 12, 31)
ENDS = st.none() | st.integers(0, 400).map(lambda days: DAY + timedelta(days=days))
AMOUNTS = st.integers(0, 2**40)
LOTS = st.dictionaries(ENDS.map(lambda end: chart.lot(LI, "points", end)), AMOUNTS, max_size=20)
WAITING = st.tuples(st.integers(0, 100), ENDS).map(
    lambda of: chart.pending(LI, "points", 1_800_000_000_000 + of[0] * 3_600_000, of[1])
)
TO_COLLECT = st.tuples(st.integers(0, 100), ENDS).map(
    lambda of: chart.collect(LI, "green", "points", 1_800_000_000_000 + of[0] * 3_600_000, of[1])
)
ENDING = st.integers(0, 400).map(lambda days: chart.lot(LI, "points", DAY + timedelta(days=days)))
DEBT = chart.debt(LI, "points")


@given(LOTS, AMOUNTS)
def test_what_is_taken_and_what_is_short_sum_to_the_amount(held: dict[str, int], amount: int) -> None:
    taken = lots.take(held, amount)

    assert sum(part for _, part in taken.parts) + taken.short == amount
    assert all(0 < part <= held[account] for account, part in taken.parts)
    assert taken.short == max(0, amount - sum(held.values()))


@given(LOTS, AMOUNTS)
def test_a_lot_is_touched_only_when_all_that_end_before_it_are_used_up(held: dict[str, int], amount: int) -> None:
    parts = lots.take(held, amount).parts
    touched = [account for account, _ in parts]

    def ends(account: str) -> date:
        return chart.place_of(account).last_day or date.max

    assert [ends(a) for a in touched] == sorted(ends(a) for a in touched)
    used_up = {account for account, part in parts[:-1] if part == held[account]}
    assert used_up == set(touched[:-1])
    last = ends(touched[-1]) if touched else date.min
    assert all(held[a] == 0 or a in touched for a in held if ends(a) < last)


@given(LOTS, AMOUNTS)
def test_spending_leaves_the_rest_and_never_less_than_nothing(held: dict[str, int], amount: int) -> None:
    left = dict(held)
    moves, short = lots.spend(left, amount, Reason.REDEMPTION.value, chart.redeemed("points"))

    assert min(left.values(), default=0) >= 0
    assert sum(held.values()) - sum(left.values()) == amount - short == sum(move.amount for move in moves)
    assert all(move.source != move.destination for move in moves)


@given(st.dictionaries(st.one_of(WAITING, TO_COLLECT, ENDING), AMOUNTS, max_size=20), AMOUNTS)
def test_settling_empties_what_is_due_and_makes_nothing(due: dict[str, int], owed: int) -> None:
    balances = {**due, DEBT: -owed}
    moves = lots.settle(due, balances)

    assert sum(balances.values()) == sum(due.values()) - owed
    assert all(balances[account] == 0 for account in due)
    assert balances[DEBT] <= 0
    assert all(move.amount > 0 for move in moves)
    repaid = sum(move.amount for move in moves if move.reason == Reason.REPAY)
    own = sum(amount for account, amount in due.items() if not account.startswith("collect"))
    assert repaid == min(owed, own)
    assert lots.settle(due, balances) == []


@given(st.dictionaries(TO_COLLECT, AMOUNTS, max_size=20), AMOUNTS)
def test_collecting_repays_first_and_keeps_every_end(held: dict[str, int], owed: int) -> None:
    balances = {**held, DEBT: -owed}
    moves = lots.collected(held, balances)

    assert sum(move.amount for move in moves) == sum(held.values())
    assert balances[DEBT] == -max(0, owed - sum(held.values()))
    for move in moves:
        if move.reason == Reason.COLLECT:
            assert chart.place_of(move.destination).end == chart.place_of(move.source).end


def test_released_too_late_it_expires_in_the_same_turn() -> None:
    lot = chart.lot(LI, "points", DAY)
    waiting = chart.pending(LI, "points", chart.due_ms(lot) or 0, DAY)
    balances = {waiting: 7, lot: 3}

    moves = lots.settle([lot, waiting], balances)

    assert [(move.reason, move.amount) for move in moves] == [("release", 7), ("expiry", 10)]
    assert balances == {waiting: 0, lot: 0, chart.expired("points"): 10}


def test_what_is_not_collected_goes_back_to_its_policy_and_repays_nothing() -> None:
    account = chart.collect(LI, "forest", "gco2e", 1_800_000_000_000, None)
    balances = {account: 5, chart.debt(LI, "gco2e"): -9}

    assert lots.settle([account], balances) == [lots.Move("lapse", account, "budget:forest:gco2e", 5)]


@given(st.dictionaries(st.one_of(WAITING, TO_COLLECT, ENDING), AMOUNTS, max_size=12), AMOUNTS)
def test_a_job_that_was_late_leaves_what_one_in_time_leaves(due: dict[str, int], owed: int) -> None:
    late = {**due, DEBT: -owed}
    lots.settle(lots.ripe(late, 2**60), late)

    in_time = {**due, DEBT: -owed}
    while moments := [at for account in in_time if in_time[account] and (at := chart.due_ms(account)) is not None]:
        lots.settle(lots.ripe(in_time, min(moments)), in_time)

    assert {k: v for k, v in late.items() if v} == {k: v for k, v in in_time.items() if v}


def test_an_old_lot_repays_before_what_came_after_it() -> None:
    """10 are owed; 10 end with the year, 10 more become available a day later: the job that looks a week later agrees."""
    old = chart.lot(LI, "points", DAY)
    waiting = chart.pending(LI, "points", (chart.due_ms(old) or 0) + 86_400_000, None)
    balances = {old: 10, waiting: 10, DEBT: -10}

    lots.settle([waiting, old], balances)

    assert balances == {old: 0, waiting: 0, DEBT: 0, chart.lot(LI, "points", None): 10}
