"""What a rollout does next, for every tally and moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.devices.updates.advance import (
    RolloutNotAtThatPoint,
    Step,
    Turn,
    advance,
    after,
    reported,
    sample_size,
    turned,
)
from backend.devices.updates.messages import UNCONFIRMED, cancel_body, offer_body, read_report
from backend.devices.updates.model import (
    FINAL,
    STAGES_PERCENT,
    DeviceState,
    Release,
    Rollout,
    RolloutState,
    Tally,
    in_cohort,
)
from tests.contracts import golden

NOON = datetime(2026, 11, 27, 4, tzinfo=UTC)
DAY = timedelta(days=1)
ROLLING = Rollout(
    golden.offer().rollout,
    Release(golden.offer().target, golden.offer().version, golden.offer().hardware, golden.offer().min_version),
    RolloutState.ROLLING,
    0,
    NOON,
    DAY,
    3 * DAY,
    "Li",
    NOON,
)
LATER = NOON + DAY
counts = st.integers(0, 10_000)
tallies = st.builds(
    lambda rest, under_way, committed, failed, unconcerned: Tally(
        rest + under_way + committed + failed, under_way, committed, failed, unconcerned
    ),
    counts,
    counts,
    counts,
    counts,
    counts,
)
rollouts = st.builds(
    lambda state, stage: ROLLING._replace(state=state, stage=stage), st.sampled_from(RolloutState), st.integers(0, 3)
)
moments = st.integers(0, 10**6).map(lambda seconds: NOON + timedelta(seconds=seconds))


@given(rollouts, tallies, moments)
def test_a_rollout_never_widens_with_failures_at_the_threshold_or_before_its_soak(
    rollout: Rollout, tally: Tally, now: datetime
) -> None:
    step = advance(rollout, tally, now)
    settled = tally.committed + tally.failed

    if step in (Step.WIDEN, Step.FINISH, Step.PASS_BY):
        assert rollout.state is RolloutState.ROLLING
        assert tally.under_way == 0
        assert settled == 0 or now >= rollout.stage_at + rollout.soak
        assert tally.failed == 0 or tally.failed * 100 < 5 * settled
        assert (step is not Step.WIDEN) == (rollout.stage == 3)
        assert step is not Step.PASS_BY or (settled == 0 < tally.unconcerned)
    if step is Step.ABORT:
        assert tally.failed * 100 >= 5 * settled > 0
        assert settled >= sample_size(tally.fleet) or tally.under_way == 0


@given(rollouts, tallies, moments)
def test_what_has_ended_stays_as_it_is(rollout: Rollout, tally: Tally, now: datetime) -> None:
    further = after(advance(rollout, tally, now), rollout, now)

    if rollout.state in (RolloutState.DONE, RolloutState.ABORTED):
        assert further == rollout
    assert further.stage - rollout.stage in (0, 1)


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_rollout_always_ends(good: int, bad: int) -> None:
    """Each till that was offered the release ends, well or not: then the rollout ends too."""
    rollout, now = ROLLING._replace(state=RolloutState.CREATED), NOON
    fleet = [f"till-{number:05}" for number in range(good + bad)]
    for _ in range(6):
        offered = [one for one in fleet if rollout.state is not RolloutState.CREATED and _offered(one, rollout)]
        failed = sum(int(one.removeprefix("till-")) < bad for one in offered)
        rollout = after(advance(rollout, Tally(len(fleet), 0, len(offered) - failed, failed), now), rollout, now)
        now += DAY

    assert rollout.state in (RolloutState.DONE, RolloutState.ABORTED)
    assert bad or rollout.state is RolloutState.DONE


def _offered(device: str, rollout: Rollout) -> bool:
    return in_cohort(device, rollout.rollout, rollout.percent)


@given(st.text("abcdef0123456789-", min_size=8, max_size=40), st.uuids().map(str))
def test_a_till_of_one_stage_belongs_to_all_later_ones(device: str, rollout: str) -> None:
    belongs = [in_cohort(device, rollout, percent) for percent in STAGES_PERCENT]

    assert belongs == sorted(belongs)
    assert belongs[-1]


def test_a_share_of_a_fleet_is_near_its_percentage() -> None:
    rollout = "01980000-0000-7000-8000-000000000001"
    share = sum(in_cohort(f"till-{number}", rollout, 10) for number in range(10_000))

    assert 900 < share < 1_100


@pytest.mark.parametrize(
    ("fleet", "under_way", "committed", "failed", "step"),
    [
        (1_000, 7, 9, 1, Step.ABORT),  # 10 outcomes are 1 % of the fleet, one of them is 10 %
        (1_000, 8, 8, 1, Step.WAIT),  # 9 outcomes say nothing yet
        (10_000, 0, 98, 2, Step.WIDEN),
        (10_000, 0, 95, 5, Step.ABORT),  # 5 %
        (2, 1, 0, 1, Step.WAIT),
        (2, 0, 1, 1, Step.ABORT),  # the stage is through: all that can be known is known
        (2, 0, 2, 0, Step.WIDEN),
        (50, 0, 0, 0, Step.WIDEN),  # nobody of so small a fleet is in the first percent
        (1_000, 1, 30, 0, Step.WAIT),
    ],
)
def test_failures_are_weighed(fleet: int, under_way: int, committed: int, failed: int, step: Step) -> None:
    assert advance(ROLLING, Tally(fleet, under_way, committed, failed), LATER) is step


def test_a_stage_lasts_at_least_its_soak() -> None:
    tally = Tally(1_000, 0, 10, 0)

    assert advance(ROLLING, tally, LATER - timedelta(seconds=1)) is Step.WAIT
    assert advance(ROLLING, tally, LATER) is Step.WIDEN


def test_paused_it_widens_nothing_and_still_ends_when_failures_come_in() -> None:
    paused = ROLLING._replace(state=RolloutState.PAUSED)

    assert advance(paused, Tally(1_000, 0, 10, 0), LATER) is Step.WAIT
    assert advance(paused, Tally(1_000, 0, 9, 1), LATER) is Step.ABORT


@given(
    st.sampled_from(DeviceState),
    st.sampled_from(DeviceState),
    st.sampled_from([None, "wrong_hardware", "not_newer", "hash_mismatch"]),
    st.booleans(),
)
def test_a_tills_state_never_goes_back_and_an_outcome_is_final(
    state: DeviceState,
    said: DeviceState,
    reason: str | None,
    runs_it: bool,  # noqa: FBT001
) -> None:
    order = list(DeviceState)
    then = reported(state, said, reason, runs_it=runs_it)

    assert then is state if state in FINAL else order.index(then) >= order.index(state)


def test_a_till_that_runs_the_release_already_has_it() -> None:
    assert reported(DeviceState.OFFERED, DeviceState.FAILED, "not_newer", runs_it=True) is DeviceState.COMMITTED


@pytest.mark.parametrize(
    ("state", "turn", "then"),
    [
        (RolloutState.CREATED, Turn.PAUSE, RolloutState.PAUSED),
        (RolloutState.ROLLING, Turn.PAUSE, RolloutState.PAUSED),
        (RolloutState.PAUSED, Turn.RESUME, RolloutState.ROLLING),
        (RolloutState.PAUSED, Turn.ABORT, RolloutState.ABORTED),
        (RolloutState.ROLLING, Turn.ABORT, RolloutState.ABORTED),
        (RolloutState.ROLLING, Turn.RESUME, None),
        (RolloutState.PAUSED, Turn.PAUSE, None),
        (RolloutState.DONE, Turn.ABORT, None),
        (RolloutState.ABORTED, Turn.RESUME, None),
    ],
)
def test_an_operator_turns_what_is_under_way(state: RolloutState, turn: Turn, then: RolloutState | None) -> None:
    if then is None:
        with pytest.raises(RolloutNotAtThatPoint):
            turned(ROLLING._replace(state=state), turn)
    else:
        assert turned(ROLLING._replace(state=state), turn) is then


def test_the_backend_writes_the_offer_of_the_golden_file() -> None:
    golden_body = (golden.FOLDER / "downlink-update.bin").read_bytes()[65:]

    assert offer_body(ROLLING.rollout, ROLLING.release) == golden_body


def test_the_backend_knows_a_till_that_waits_for_the_servers_word() -> None:
    found = read_report((golden.FOLDER / "job-report-unconfirmed.json").read_text())

    assert found == (golden.offer().rollout, DeviceState.STAGED, "1.2.0", UNCONFIRMED)


def test_the_backend_reads_the_report_of_the_golden_file() -> None:
    found = read_report((golden.FOLDER / "job-report.json").read_text())

    assert found is not None
    assert found == (golden.job_report().rollout, DeviceState.ROLLED_BACK, "1.2.0", "no_health_in_time")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        cancel_body(ROLLING.rollout).decode(),
        '{"job":"update","rollout":"r","state":"timed_out","version":"1"}',
    ],
)
def test_what_is_no_report_moves_nothing(text: str) -> None:
    assert read_report(text) is None
