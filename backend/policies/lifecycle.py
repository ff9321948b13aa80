"""From a draft to a policy in force and out of force again: who may do what, when, and to which text. Pure.

A draft is written by one person and approved by another; what is approved is an exact text. Once published, a policy is
suspended, resumed and ended by moments of sale that lie ahead: what was sold before stays as it was decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from backend.kernel.errors import DomainError
from backend.kernel.persons import identity, is_same_person
from backend.policies.lint_finding import Finding

FOREVER_MS = 2**53 - 1
SHA256_SHOWN = 12
"""An approver names text and preview by at least so many digits of their SHA-256: what is read out, not typed whole."""
PREVIEW_DAYS_MAX = 30
"""A preview that is older says little of what the draft would do today."""


class DraftState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    EDIT = "edit"
    PREVIEW = "preview"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_AFTER: Mapping[tuple[DraftState, Act], DraftState] = MappingProxyType(
    {
        (DraftState.DRAFT, Act.EDIT): DraftState.DRAFT,
        (DraftState.DRAFT, Act.PREVIEW): DraftState.DRAFT,
        (DraftState.DRAFT, Act.SUBMIT): DraftState.SUBMITTED,
        (DraftState.DRAFT, Act.WITHDRAW): DraftState.WITHDRAWN,
        (DraftState.SUBMITTED, Act.EDIT): DraftState.DRAFT,
        (DraftState.SUBMITTED, Act.PREVIEW): DraftState.SUBMITTED,
        (DraftState.SUBMITTED, Act.APPROVE): DraftState.APPROVED,
        (DraftState.SUBMITTED, Act.REJECT): DraftState.REJECTED,
        (DraftState.SUBMITTED, Act.WITHDRAW): DraftState.WITHDRAWN,
        (DraftState.REJECTED, Act.EDIT): DraftState.DRAFT,
        (DraftState.REJECTED, Act.WITHDRAW): DraftState.WITHDRAWN,
    }
)
"""What is absent cannot be done; an approved draft and a withdrawn one are history."""

_BY_AUTHOR = frozenset({Act.EDIT, Act.SUBMIT, Act.WITHDRAW})
_BY_ANOTHER = frozenset({Act.APPROVE, Act.REJECT})
STATES_ZH: Mapping[DraftState, str] = MappingProxyType(
    {
        DraftState.DRAFT: "起草中",
        DraftState.SUBMITTED: "待复核",
        DraftState.APPROVED: "已批准",
        DraftState.REJECTED: "已退回",
        DraftState.WITHDRAWN: "已撤回",
    }
)


class DraftUnknown(DomainError):
    code = "policy-draft-unknown"
    text_zh = "没有编号为 {draft} 的政策草案。"
    text_en = "There is no policy draft {draft}."


class DraftChanged(DomainError):
    code = "policy-draft-changed"
    text_zh = "草案已有变动（现为第 {revision} 稿），请重新查看后再操作。"
    text_en = "The draft has changed (it is at revision {revision}); look at it again first."


class DraftNotAtThatPoint(DomainError):
    code = "policy-draft-state"
    text_zh = "草案{state_zh}，不能进行这一操作。"
    text_en = "The draft is {state_en}: this cannot be done to it."


class ApproverIsAuthor(DomainError):
    code = "approver-is-author"
    text_zh = "起草人不能复核自己的政策，须由另一人复核。"
    text_en = "An author cannot judge their own policy: another person must."


class NotTheAuthor(DomainError):
    code = "policy-draft-not-yours"
    text_zh = "只有起草人可以修改、提交或撤回这份草案。"
    text_en = "Only its author may change, submit or withdraw this draft."


class ApprovalOfAnotherText(DomainError):
    code = "approval-of-another-text"
    text_zh = "复核的不是草案现在的文本或预演结果，请重新查看后再批准。"
    text_en = "What was approved is not the draft's present text or preview; look at it again first."


class PreviewMissing(DomainError):
    code = "policy-preview-missing"
    text_zh = "草案还没有预演，不能批准；请先预演并查看结果（没有历史销售的城市也须预演，很快完成）。"
    text_en = "The draft was never previewed: preview it and look first, also where a city has no past sales."


class PreviewStale(DomainError):
    code = "policy-preview-stale"
    text_zh = "草案的预演已失效：{cause_zh}；请重新预演并查看结果。"
    text_en = "The preview of the draft no longer counts: {cause_en}. Preview it again and look first."

    def __init__(self, cause: str) -> None:
        cause_zh, cause_en = _STALE[cause]
        super().__init__(cause=cause, cause_zh=cause_zh, cause_en=cause_en)


_STALE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "text": ("此后草案文本有改动", "the text has changed since"),
        "policies": ("此后全市政策有发布、暂停、恢复或终止", "a policy of the city was published or turned since"),
        "age": (f"距今已超过 {PREVIEW_DAYS_MAX} 天", f"it is older than {PREVIEW_DAYS_MAX} days"),
    }
)


class PolicyBlocked(DomainError):
    """`findings` are all that the linter found, warnings too."""

    code = "policy-blocked"
    text_zh = "政策有 {count} 处不得提交的问题，请先修改。"
    text_en = "Findings that forbid the submission of the policy: {count}. Mend them first."

    def __init__(self, findings: Sequence[Finding], blocked: Sequence[Finding]) -> None:
        faults: dict[str, list[str]] = {}
        for one in blocked:
            faults.setdefault(one.place, []).append(f"{one.sentence_zh} / {one.sentence_en}")
        super().__init__(count=len(blocked), faults=faults)
        self.findings = tuple(findings)


class PolicyUnknown(DomainError):
    code = "policy-unknown"
    text_zh = "没有发布过名为 {policy} 的政策。"
    text_en = "No policy {policy} was ever published."


class SuspensionBackdated(DomainError):
    code = "suspension-backdated"
    text_zh = "暂停、恢复和终止只能从现在或以后起生效，且不早于上一次变更。"
    text_en = "A policy is suspended, resumed or ended from now or later, and not before its last such change."


class NotInThatState(DomainError):
    code = "policy-standing"
    text_zh = "该政策{standing_zh}，不能进行这一操作。"
    text_en = "The policy is {standing_en}: this cannot be done to it."


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy document on its way. `revision` counts every change, of text or state, from 1."""

    draft: str
    policy: str
    author: str
    state: DraftState
    revision: int
    text: str
    sha256: str
    preview_sha256: str | None
    """Of the last preview that was made of exactly this text, if one was."""


@dataclass(frozen=True, slots=True)
class KeptPreview:
    """A preview as it stands on record: `sha256` is that of `result`, to the byte; it was made of the text `text_sha256`.

    `policy_revision` counts the publications and turns of the city's policies that it knew.
    """

    sha256: str
    result: str
    text_sha256: str
    policy_revision: int
    made_by: str
    made_at: datetime


def check_two_people(author: str, approver: str) -> None:
    """Raises ApproverIsAuthor."""
    if is_same_person(author, approver):
        raise ApproverIsAuthor


def after(draft: Draft, act: Act, by: str, revision: int | None = None) -> DraftState:
    """The state that `act` of the person `by` leads to; `revision` is the one that the person has seen, None for any.

    Raises DraftChanged, DraftNotAtThatPoint, NotTheAuthor, ApproverIsAuthor.
    """
    if revision is not None and revision != draft.revision:
        raise DraftChanged(revision=draft.revision)
    state = _AFTER.get((draft.state, act))
    if state is None:
        raise DraftNotAtThatPoint(state_zh=STATES_ZH[draft.state], state_en=draft.state.value)
    is_author = is_same_person(by, draft.author)
    if act in _BY_AUTHOR and not is_author:
        raise NotTheAuthor
    if act in _BY_ANOTHER and (is_author or not identity(by)):
        raise ApproverIsAuthor
    return state


def check_approval(draft: Draft, sha256: str, preview_sha256: str | None) -> None:
    """An approval is of one text and of one preview of it. Raises ApprovalOfAnotherText."""
    if not _names(sha256, draft.sha256) or not _names(preview_sha256, draft.preview_sha256):
        raise ApprovalOfAnotherText


def _names(said: str | None, digest: str | None) -> bool:
    return said is not None and digest is not None and len(said) >= SHA256_SHOWN and digest.startswith(said.lower())


def check_preview(draft: Draft, last: KeptPreview | None, now: datetime) -> KeptPreview:
    """`last`, the last preview that was kept of any text of `draft`, where it is one to approve on.

    A preview of no sales is one: of a city without a history there is no other. Raises PreviewMissing, PreviewStale.
    """
    if last is None:
        raise PreviewMissing
    if draft.preview_sha256 != last.sha256 or last.text_sha256 != draft.sha256:
        raise PreviewStale("text")
    if now - last.made_at > timedelta(days=PREVIEW_DAYS_MAX):
        raise PreviewStale("age")
    return last


def check_ground(preview: KeptPreview, policy_revision: int) -> None:
    """Raises PreviewStale where the city's policies are no longer those that the preview knew."""
    if preview.policy_revision != policy_revision:
        raise PreviewStale("policies")


class Turn(StrEnum):
    """What may happen to a published policy."""

    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"


class Standing(StrEnum):
    """What the last turn left; the period of its versions stands beside it."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    ENDED = "ended"


_TURNS: Mapping[tuple[Standing, Turn], Standing] = MappingProxyType(
    {
        (Standing.RUNNING, Turn.SUSPEND): Standing.SUSPENDED,
        (Standing.RUNNING, Turn.END): Standing.ENDED,
        (Standing.SUSPENDED, Turn.RESUME): Standing.RUNNING,
        (Standing.SUSPENDED, Turn.END): Standing.ENDED,
    }
)
_LEFT_BY: Mapping[Turn, Standing] = MappingProxyType(
    {Turn.SUSPEND: Standing.SUSPENDED, Turn.RESUME: Standing.RUNNING, Turn.END: Standing.ENDED}
)
STANDINGS_ZH: Mapping[Standing, str] = MappingProxyType(
    {Standing.RUNNING: "没有暂停", Standing.SUSPENDED: "已暂停", Standing.ENDED: "已终止"}
)


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """One recorded turn: from `from_ms` on, by moment of sale."""

    turn: Turn
    from_ms: int


def standing(turns: Sequence[TurnTaken]) -> Standing:
    return _LEFT_BY[turns[-1].turn] if turns else Standing.RUNNING


def check_turn(turns: Sequence[TurnTaken], taken: TurnTaken, now_ms: int) -> Standing:
    """What `taken` leads to. Raises NotInThatState, SuspensionBackdated."""
    before = standing(turns)
    led_to = _TURNS.get((before, taken.turn))
    if led_to is None:
        raise NotInThatState(standing_zh=STANDINGS_ZH[before], standing_en=before.value)
    if taken.from_ms < now_ms or (turns and taken.from_ms < turns[-1].from_ms):
        raise SuspensionBackdated
    return led_to


def suspended(turns: Sequence[TurnTaken]) -> tuple[tuple[int, int], ...]:
    """The half-open times of sale in which a policy pays nothing, from its turns in the order in which they were taken."""
    periods: list[tuple[int, int]] = []
    begin: int | None = None
    for taken in turns:
        if taken.turn is Turn.RESUME:
            if begin is not None and begin < taken.from_ms:
                periods.append((begin, taken.from_ms))
            begin = None
        elif begin is None:
            begin = taken.from_ms
    if begin is not None:
        periods.append((begin, FOREVER_MS))
    return tuple(periods)
