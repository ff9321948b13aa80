from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from backend.certificates.compare import Certificate, Changes, changes, without_conflicts
from backend.certificates.history import History, entries_by_key
from backend.certificates.model import CertificateState, Entry
from backend.certificates.rows import Row
from backend.certificates.timeline import FOREVER_DAY, day_number, midnight_ms
from backend.certificates.validity import standing


def day(text: str) -> int:
    return day_number(date.fromisoformat(text))


FRIDGE = Row(
    line=2,
    scheme="energy_label",
    body="CNIS",
    body_name=None,
    number="F-1",
    holder="示例电器",
    enterprise=None,
    key="gtin:09521234543213",
    product="冰箱",
    model="A",
    category="冰箱",
    grade=1,
    tier=None,
    from_day=day("2025-01-01"),
    until_day=day("2026-01-01"),
    state=CertificateState.VALID,
    state_day=None,
    listed_day=None,
    delisted_day=None,
)


class Registry:
    """The registry as the comparison sees it: what was found new is recorded, in order."""

    def __init__(self) -> None:
        self.histories: dict[Certificate, History] = {}
        self._ids = count(1)

    def take(self, *rows: Row) -> Changes:
        groups, errors = without_conflicts(rows, {})
        found = changes(groups, self.histories, {}, lambda: f"{next(self._ids):06}")
        known = {history.id: history for history in self.histories.values()}
        for history in found.certificates:
            history.level = "M"
            self.histories[history.number, history.body] = known[history.id] = history
        for certificate, term in found.terms:
            known[certificate].terms.append(term)
        for certificate, state in found.states:
            known[certificate].states.append(state)
        found.errors += errors
        return found

    def entries(self, key: str = FRIDGE.key) -> tuple[Entry, ...]:
        return entries_by_key(self.histories.values()).get(key, ())

    def on(self, text: str, key: str = FRIDGE.key) -> tuple[str, int | None]:
        found = standing(self.entries(key), midnight_ms(day(text)))
        return found.state, found.entry.grade if found.entry and found.state == "valid" else None


def codes(found: Changes) -> list[tuple[int, str]]:
    return [(error.line, error.code) for error in found.errors]


def test_a_new_certificate_is_valid_on_its_days_and_no_others() -> None:
    registry = Registry()

    registry.take(FRIDGE)

    assert registry.on("2025-01-01") == ("valid", 1)
    assert registry.on("2025-12-31") == ("valid", 1)
    assert registry.on("2024-12-31") == ("not_yet_valid", None)
    assert registry.on("2026-01-01") == ("expired", None)


def test_what_is_known_already_makes_no_row() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    again = registry.take(replace(FRIDGE, line=9))

    assert again.empty
    assert (again.changed, again.unchanged) == (0, 1)


def test_a_withdrawal_counts_from_its_day_and_leaves_the_days_before() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    registry.take(replace(FRIDGE, state=CertificateState.WITHDRAWN, state_day=day("2025-06-01")))

    assert registry.on("2025-05-31") == ("valid", 1)
    assert registry.on("2025-06-01") == ("withdrawn", None)


def test_a_certificate_first_seen_withdrawn_was_valid_before() -> None:
    registry = Registry()

    registry.take(replace(FRIDGE, state=CertificateState.WITHDRAWN, state_day=day("2025-06-01")))

    assert registry.on("2025-05-31") == ("valid", 1)
    assert registry.on("2025-06-01") == ("withdrawn", None)


def test_a_row_without_a_day_never_undoes_a_withdrawal() -> None:
    registry = Registry()
    registry.take(FRIDGE)
    registry.take(replace(FRIDGE, state=CertificateState.WITHDRAWN, state_day=day("2025-06-01")))

    again = registry.take(FRIDGE)

    assert codes(again) == [(2, "not_valid_now")]
    assert again.empty
    assert registry.on("2025-06-01") == ("withdrawn", None)


def test_validity_restored_from_a_day_counts_from_that_day() -> None:
    registry = Registry()
    registry.take(FRIDGE)
    registry.take(replace(FRIDGE, state=CertificateState.SUSPENDED, state_day=day("2025-03-01")))

    registry.take(replace(FRIDGE, state_day=day("2025-05-01")))

    assert registry.on("2025-04-30") == ("suspended", None)
    assert registry.on("2025-05-01") == ("valid", 1)


def test_an_old_file_does_not_undo_what_came_after_it() -> None:
    registry = Registry()
    suspended = replace(FRIDGE, state=CertificateState.SUSPENDED, state_day=day("2025-03-01"))
    registry.take(FRIDGE)
    registry.take(suspended)
    registry.take(replace(FRIDGE, state_day=day("2025-05-01")))

    again = registry.take(suspended)

    assert again.empty
    assert registry.on("2025-05-01") == ("valid", 1)


def test_a_suspension_learned_late_does_not_end_a_withdrawal() -> None:
    registry = Registry()
    registry.take(FRIDGE)
    registry.take(replace(FRIDGE, state=CertificateState.WITHDRAWN, state_day=day("2025-06-01")))

    registry.take(replace(FRIDGE, state=CertificateState.SUSPENDED, state_day=day("2025-03-01")))

    assert registry.on("2025-03-01") == ("suspended", None)
    assert registry.on("2025-06-01") == ("withdrawn", None)


def test_a_withdrawal_learned_late_ends_validity_for_good() -> None:
    registry = Registry()
    registry.take(FRIDGE)
    registry.take(replace(FRIDGE, state=CertificateState.SUSPENDED, state_day=day("2025-03-01")))
    registry.take(replace(FRIDGE, state_day=day("2025-05-01")))

    registry.take(replace(FRIDGE, state=CertificateState.WITHDRAWN, state_day=day("2025-04-01")))

    assert registry.on("2025-05-01") == ("withdrawn", None)


def test_a_renewal_adds_a_term_and_keeps_the_old_one() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    registry.take(replace(FRIDGE, from_day=day("2026-01-01"), until_day=day("2027-01-01"), grade=2))

    assert registry.on("2025-07-01") == ("valid", 1)
    assert registry.on("2026-07-01") == ("valid", 2)


def test_a_certificate_reported_expired_and_then_extended_is_valid_throughout() -> None:
    registry = Registry()
    registry.take(replace(FRIDGE, state=CertificateState.EXPIRED))

    registry.take(replace(FRIDGE, until_day=day("2027-01-01")))

    assert registry.on("2025-07-01") == ("valid", 1)
    assert registry.on("2026-07-01") == ("valid", 1)


def test_a_term_may_be_shortened() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    registry.take(replace(FRIDGE, until_day=day("2025-07-01")))

    assert registry.on("2025-06-30") == ("valid", 1)
    assert registry.on("2025-07-01") == ("expired", None)


def test_a_grade_that_changes_on_a_day_keeps_its_past() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    registry.take(replace(FRIDGE, grade=2, listed_day=day("2025-07-01")))

    assert registry.on("2025-06-30") == ("valid", 1)
    assert registry.on("2025-07-01") == ("valid", 2)
    assert registry.take(FRIDGE).empty


def test_a_grade_without_a_day_corrects_the_whole_term() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    registry.take(replace(FRIDGE, grade=3))

    assert registry.on("2025-01-01") == ("valid", 3)


def test_a_product_taken_off_a_certificate_is_unknown_from_then_on() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    registry.take(replace(FRIDGE, delisted_day=day("2025-07-01")))

    assert registry.on("2025-06-30") == ("valid", 1)
    assert registry.on("2025-07-01") == ("expired", None)


def test_a_product_taken_off_comes_back_only_with_a_day() -> None:
    registry = Registry()
    registry.take(replace(FRIDGE, delisted_day=day("2025-07-01")))

    assert codes(registry.take(FRIDGE)) == [(2, "delisted")]

    registry.take(replace(FRIDGE, listed_day=day("2025-09-01")))
    assert registry.on("2025-08-31") == ("expired", None)
    assert registry.on("2025-09-01") == ("valid", 1)


def test_rows_of_one_certificate_that_contradict_each_other_are_all_refused() -> None:
    other = replace(FRIDGE, line=5, key="gtin:00000000000017", until_day=FOREVER_DAY)
    bystander = replace(FRIDGE, line=6, number="F-2")

    found = Registry().take(FRIDGE, other, bystander)

    assert codes(found) == [(2, "conflicting_rows"), (5, "conflicting_rows")]
    assert [error.facts["other_line"] for error in found.errors] == [5, 2]
    assert [certificate.number for certificate in found.certificates] == ["F-2"]


def test_two_grades_of_one_product_in_one_file_are_both_refused() -> None:
    bystander = replace(FRIDGE, line=6, key="gtin:00000000000017")

    found = Registry().take(FRIDGE, replace(FRIDGE, line=5, grade=2), bystander)

    assert codes(found) == [(2, "conflicting_products"), (5, "conflicting_products")]
    assert [key for _, key, _, _ in found.products] == [bystander.key]


def test_a_row_that_repeats_another_is_no_error() -> None:
    found = Registry().take(FRIDGE, replace(FRIDGE, line=3))

    assert (found.errors, len(found.products)) == ([], 1)


def test_a_certificate_keeps_its_scheme() -> None:
    registry = Registry()
    registry.take(FRIDGE)

    found = registry.take(replace(FRIDGE, scheme="organic"))

    assert codes(found) == [(2, "scheme_differs")]


DAYS = st.integers(day("2025-01-01"), day("2026-06-01"))


@st.composite
def any_rows(draw: st.DrawFn) -> Iterable[Row]:
    from_day = draw(DAYS)
    state = draw(st.sampled_from(CertificateState))
    return replace(
        FRIDGE,
        from_day=from_day,
        until_day=draw(st.integers(from_day + 1, from_day + 500)),
        grade=draw(st.integers(1, 3)),
        state=state,
        state_day=draw(st.integers(from_day, from_day + 300)) if state.value not in ("valid", "expired") else None,
        listed_day=draw(st.none() | DAYS),
    )


def test_a_certificate_extended_both_ways_past_its_expiry_is_valid_in_all_of_its_time_at_once() -> None:
    registry = Registry()
    short = replace(FRIDGE, from_day=20_090, until_day=20_091, state_day=None)
    registry.take(short)
    registry.take(replace(short, state=CertificateState.EXPIRED))
    longer = replace(short, from_day=20_089, until_day=20_092)
    registry.take(longer)

    assert registry.take(longer).empty


@given(st.lists(any_rows(), min_size=1, max_size=6))
def test_any_row_that_was_taken_changes_nothing_when_it_comes_again(rows: list[Row]) -> None:
    registry = Registry()
    for row in rows:
        registry.take(row)

    again = registry.take(rows[-1])

    assert again.empty


@given(st.lists(any_rows(), min_size=1, max_size=6))
def test_no_row_but_one_with_a_day_makes_a_withdrawn_certificate_valid(rows: list[Row]) -> None:
    registry = Registry()
    registry.take(replace(FRIDGE, until_day=FOREVER_DAY))
    registry.take(replace(FRIDGE, until_day=FOREVER_DAY, state=CertificateState.WITHDRAWN, state_day=day("2025-02-01")))

    for row in rows:
        registry.take(replace(row, state=CertificateState.VALID, state_day=None))

    assert registry.on("2025-03-01")[0] == "withdrawn"
