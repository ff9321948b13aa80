"""What a rollout does next, and how a till's report moves it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from typing import assert_never

from backend.devices.updates.model import RANK, STAGES_PERCENT, DeviceState, Rollout, RolloutState, Tally
from backend.kernel.errors import DomainError

ABORT_PERCENT = 5
SAMPLE_MIN = 3
UNCONCERNED = frozenset({"wrong_hardware", "not_newer"})
"""Why a till gives up an update that is not meant for it."""
NOBODY_CONCERNED = "nobody_concerned"


class Step(Enum):
    WAIT = auto()
    BEGIN = auto()
    WIDEN = auto()
    FINISH = auto()
    PASS_BY = auto()
    """It is through, and concerned nobody."""
    ABORT = auto()


class Turn(Enum):
    """What an operator may ask."""

    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"


class RolloutNotAtThatPoint(DomainError):
    code = "rollout-not-at-that-point"
    text_zh = "更新批次 {rollout} 当前为 {state}，不能执行 {turn}。"
    text_en = "The rollout {rollout} is {state}: it cannot {turn}."


_TURNS: Mapping[Turn, tuple[frozenset[RolloutState], RolloutState]] = {
    Turn.PAUSE: (frozenset({RolloutState.CREATED, RolloutState.ROLLING}), RolloutState.PAUSED),
    Turn.RESUME: (frozenset({RolloutState.PAUSED}), RolloutState.ROLLING),
    Turn.ABORT: (frozenset({RolloutState.CREATED, RolloutState.ROLLING, RolloutState.PAUSED}), RolloutState.ABORTED),
}


def advance(rollout: Rollout, tally: Tally, now: datetime) -> Step:
    """What is next for a rollout whose silent tills have been counted as failed already.

    Failures are weighed as soon as enough tills have an outcome, so a bad release stops before its stage is through; and at
    the end of a stage however few they are. Until any till had its turn there is nothing to wait for. Paused, it only aborts.
    Tills that are not concerned are no outcome: a rollout that finds no other ends without having proved anything.
    """
    if rollout.state is RolloutState.CREATED:
        return Step.BEGIN
    if rollout.state not in (RolloutState.ROLLING, RolloutState.PAUSED):
        return Step.WAIT
    if _is_bad(tally):
        return Step.ABORT
    if rollout.state is RolloutState.PAUSED or tally.under_way:
        return Step.WAIT
    settled = tally.committed + tally.failed
    last = rollout.stage == len(STAGES_PERCENT) - 1
    if settled and now < rollout.stage_at + rollout.soak:
        return Step.WAIT
    if not last:
        return Step.WIDEN
    return Step.PASS_BY if tally.unconcerned and not settled else Step.FINISH


def sample_size(fleet: int) -> int:
    """How many outcomes say something: 3, or 1 % of the fleet, rounded up."""
    return max(SAMPLE_MIN, -(-fleet // 100))


def reported(state: DeviceState, said: DeviceState, reason: str | None, *, runs_it: bool) -> DeviceState:
    """A till's state after its report: it never goes back, and an outcome is final. `runs_it`: it runs the release that is
    rolled out, so that an offer which came too late, or twice, is no failure.
    """
    if RANK[state] == RANK[DeviceState.COMMITTED]:
        return state
    if runs_it:
        return DeviceState.COMMITTED
    if said is DeviceState.FAILED and reason in UNCONCERNED:
        return DeviceState.NOT_CONCERNED
    return said if RANK[said] > RANK[state] else state


def turned(rollout: Rollout, turn: Turn) -> RolloutState:
    """Raises RolloutNotAtThatPoint."""
    may, then = _TURNS[turn]
    if rollout.state not in may:
        raise RolloutNotAtThatPoint(rollout=rollout.rollout, state=rollout.state.value, turn=turn.value)
    return then


def after(step: Step, rollout: Rollout, now: datetime) -> Rollout:
    match step:
        case Step.WAIT:
            return rollout
        case Step.BEGIN:
            return rollout._replace(state=RolloutState.ROLLING, stage_at=now)
        case Step.WIDEN:
            return rollout._replace(stage=rollout.stage + 1, stage_at=now)
        case Step.FINISH:
            return rollout._replace(state=RolloutState.DONE)
        case Step.PASS_BY:
            return rollout._replace(state=RolloutState.DONE, reason=NOBODY_CONCERNED)
        case Step.ABORT:
            return rollout._replace(state=RolloutState.ABORTED, reason="failures")
        case _:
            assert_never(step)


def _is_bad(tally: Tally) -> bool:
    settled = tally.committed + tally.failed
    enough = settled >= sample_size(tally.fleet) or not tally.under_way
    return enough and tally.failed * 100 >= ABORT_PERCENT * settled and tally.failed > 0
