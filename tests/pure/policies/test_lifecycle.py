"""Who may do what to a draft, and when a policy pays nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.errors import DomainError
from backend.kernel.persons import is_same_person
from backend.policies.lifecycle import (
    FOREVER_MS,
    Act,
    ApprovalOfAnotherText,
    ApproverIsAuthor,
    Draft,
    DraftChanged,
    DraftNotAtThatPoint,
    DraftState,
    NotInThatState,
    NotTheAuthor,
    Standing,
    SuspensionBackdated,
    Turn,
    TurnTaken,
    after,
    check_approval,
    check_turn,
    standing,
    suspended,
)

AUTHOR, APPROVER = "王处长", "李局长"
DRAFT = Draft("01900000-0000-7000-8000-000000000001", "green", AUTHOR, DraftState.DRAFT, 1, "{}", "ab" * 32, None)
SUBMITTED = replace(DRAFT, state=DraftState.SUBMITTED, revision=2)


def test_a_draft_goes_from_hand_to_hand() -> None:
    assert after(DRAFT, Act.SUBMIT, AUTHOR) is DraftState.SUBMITTED
    assert after(SUBMITTED, Act.APPROVE, APPROVER) is DraftState.APPROVED
    assert after(SUBMITTED, Act.REJECT, APPROVER) is DraftState.REJECTED
    assert after(replace(DRAFT, state=DraftState.REJECTED), Act.EDIT, AUTHOR) is DraftState.DRAFT


def test_editing_takes_a_submission_back() -> None:
    assert after(SUBMITTED, Act.EDIT, AUTHOR, 2) is DraftState.DRAFT


@pytest.mark.parametrize("state", [DraftState.APPROVED, DraftState.WITHDRAWN])
@pytest.mark.parametrize("act", list(Act))
def test_what_is_history_stays(state: DraftState, act: Act) -> None:
    with pytest.raises(DraftNotAtThatPoint):
        after(replace(DRAFT, state=state), act, AUTHOR)


@pytest.mark.parametrize("act", [Act.APPROVE, Act.REJECT])
def test_a_draft_that_was_not_submitted_is_not_judged(act: Act) -> None:
    with pytest.raises(DraftNotAtThatPoint):
        after(DRAFT, act, APPROVER)


@pytest.mark.parametrize("spelling", [AUTHOR, "王 处长", " 王处长\u3000", "王\u200b处长"])
def test_no_author_approves_their_own_draft_however_spelt(spelling: str) -> None:
    with pytest.raises(ApproverIsAuthor):
        after(SUBMITTED, Act.APPROVE, spelling)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Wang", "wang"), ("STRASSE", "straße"), ("ＷＡＮＧ", "wang"), ("w\u0061\u0301", "w\u00e1"), ("王\ufeff", "王")],
)
def test_one_person_is_known_under_another_spelling(one: str, other: str) -> None:
    assert is_same_person(one, other)
    assert not is_same_person(one, other + "2")


@given(st.text(max_size=20))
def test_everyone_is_the_same_as_themselves(name: str) -> None:
    assert is_same_person(name, f" {name.casefold()} ")


@pytest.mark.parametrize("nobody", ["", "  ", "\u200b"])
def test_nobody_approves_nothing(nobody: str) -> None:
    with pytest.raises(ApproverIsAuthor):
        after(SUBMITTED, Act.APPROVE, nobody)


@pytest.mark.parametrize("act", [Act.EDIT, Act.SUBMIT, Act.WITHDRAW])
def test_nobody_else_writes_in_an_authors_draft(act: Act) -> None:
    with pytest.raises(NotTheAuthor):
        after(DRAFT, act, APPROVER)


def test_who_saw_an_older_revision_looks_again() -> None:
    with pytest.raises(DraftChanged) as changed:
        after(SUBMITTED, Act.EDIT, AUTHOR, 1)

    assert "第 2 稿" in changed.value.sentence_zh


def test_an_approval_names_the_text_and_its_preview() -> None:
    previewed = replace(SUBMITTED, preview_sha256="cd" * 32)

    check_approval(previewed, "AB" * 6, "CD" * 6)
    check_approval(previewed, "ab" * 32, "cd" * 6)
    for draft, sha256, preview in [
        (previewed, "ab" * 5, "cd" * 32),
        (previewed, "", "cd" * 32),
        (previewed, "ac" * 32, "cd" * 32),
        (SUBMITTED, "ab" * 32, "cd" * 32),
        (SUBMITTED, "ab" * 32, None),
        (previewed, "ab" * 32, None),
        (previewed, "ab" * 32, "ef" * 32),
        (previewed, "ab" * 32, ""),
        (previewed, "ab" * 32, "cd" * 5),
    ]:
        with pytest.raises(ApprovalOfAnotherText):
            check_approval(draft, sha256, preview)


@pytest.mark.parametrize("who", [AUTHOR, APPROVER])
def test_anybody_previews_a_draft_that_waits_to_be_judged(who: str) -> None:
    assert after(DRAFT, Act.PREVIEW, who) is DraftState.DRAFT
    assert after(SUBMITTED, Act.PREVIEW, who) is DraftState.SUBMITTED
    with pytest.raises(DraftNotAtThatPoint):
        after(replace(DRAFT, state=DraftState.REJECTED), Act.PREVIEW, who)


def turns(*taken: tuple[Turn, int]) -> list[TurnTaken]:
    return [TurnTaken(*one) for one in taken]


SUSPEND, RESUME, END = Turn.SUSPEND, Turn.RESUME, Turn.END


@pytest.mark.parametrize(
    ("taken", "periods"),
    [
        ([], ()),
        ([(SUSPEND, 5)], ((5, FOREVER_MS),)),
        ([(SUSPEND, 5), (RESUME, 9)], ((5, 9),)),
        ([(SUSPEND, 5), (RESUME, 5)], ()),
        ([(SUSPEND, 5), (RESUME, 9), (SUSPEND, 9)], ((5, 9), (9, FOREVER_MS))),
        ([(SUSPEND, 5), (END, 9)], ((5, FOREVER_MS),)),
        ([(SUSPEND, 1), (RESUME, 2), (END, 9)], ((1, 2), (9, FOREVER_MS))),
    ],
)
def test_turns_come_to_periods(taken: list[tuple[Turn, int]], periods: tuple[tuple[int, int], ...]) -> None:
    assert suspended(turns(*taken)) == periods


@pytest.mark.parametrize(
    ("before", "turn"),
    [([], RESUME), ([SUSPEND], SUSPEND), ([END], RESUME), ([END], SUSPEND), ([END], END), ([SUSPEND, RESUME], RESUME)],
)
def test_a_turn_fits_what_stands(before: list[Turn], turn: Turn) -> None:
    with pytest.raises(NotInThatState):
        check_turn(turns(*((one, 5) for one in before)), TurnTaken(turn, 9), 9)


@pytest.mark.parametrize(("from_ms", "now_ms"), [(8, 9), (4, 3)])
def test_no_turn_reaches_back(from_ms: int, now_ms: int) -> None:
    """Neither before now, nor before the turn that it follows."""
    with pytest.raises(SuspensionBackdated):
        check_turn(turns((SUSPEND, 5)), TurnTaken(RESUME, from_ms), now_ms)


moments = st.lists(st.tuples(st.sampled_from(Turn), st.integers(0, 30), st.integers(0, 30)), max_size=8)


@given(moments)
def test_what_was_sold_before_a_turn_was_taken_is_decided_as_before(tried: list[tuple[Turn, int, int]]) -> None:
    """Whatever is tried in whatever order: a turn taken at `now` changes no moment of sale before `now`."""
    taken: list[TurnTaken] = []
    now = 0
    for turn, later, from_ms in tried:
        now = max(now, later)
        earlier = suspended(taken)
        try:
            led_to = check_turn(taken, TurnTaken(turn, from_ms), now)
        except DomainError:
            continue
        taken.append(TurnTaken(turn, from_ms))
        assert standing(taken) is led_to
        assert [pays(earlier, at) for at in range(now)] == [pays(suspended(taken), at) for at in range(now)]
        assert pays(suspended(taken), from_ms) is (led_to is Standing.RUNNING)


def pays(periods: tuple[tuple[int, int], ...], at: int) -> bool:
    return not any(begin <= at < end for begin, end in periods)
