import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

STAGES_PERCENT = (1, 10, 50, 100)
COHORTS = 10_000


class RolloutState(StrEnum):
    CREATED = "created"
    ROLLING = "rolling"
    PAUSED = "paused"
    DONE = "done"
    ABORTED = "aborted"


class DeviceState(StrEnum):
    """In the order in which a till goes through them; the last five are final.

    Not concerned: the release is for other hardware, or the till runs a newer one; that says nothing of the release.
    """

    OFFERED = "offered"
    DOWNLOADING = "downloading"
    VERIFIED = "verified"
    STAGED = "staged"
    TRIAL = "trial"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    NOT_CONCERNED = "not_concerned"


FAILURES = frozenset({DeviceState.ROLLED_BACK, DeviceState.FAILED, DeviceState.TIMED_OUT})
FINAL = FAILURES | {DeviceState.COMMITTED, DeviceState.NOT_CONCERNED}
RANK = {state: min(rank, 5) for rank, state in enumerate(DeviceState)}
BEFORE_TRIAL = frozenset({DeviceState.OFFERED, DeviceState.DOWNLOADING, DeviceState.VERIFIED, DeviceState.STAGED})
UNDER_WAY = frozenset({RolloutState.CREATED, RolloutState.ROLLING, RolloutState.PAUSED})


class Release(NamedTuple):
    """A target of the update repository, and what it may be installed on and over."""

    target: str
    version: str
    hardware: tuple[str, ...]
    min_version: str

    def custom(self) -> dict[str, object]:
        """What is signed with the target."""
        return {"version": self.version, "hardware": list(self.hardware), "min_version": self.min_version}


class Rollout(NamedTuple):
    """`stage` counts from 0 in STAGES_PERCENT and began at `stage_at`. `soak`: how long it lasts at least; `patience`: how
    long a till may take from its offer.
    """

    rollout: str
    release: Release
    state: RolloutState
    stage: int
    stage_at: datetime
    soak: timedelta
    patience: timedelta
    by: str
    created_at: datetime
    reason: str | None = None

    @property
    def percent(self) -> int:
        return STAGES_PERCENT[self.stage]


class Tally(NamedTuple):
    """`fleet`: tills in use in the city, less those not concerned. Of those offered: still under way, committed, failed in
    any way, and not concerned.
    """

    fleet: int
    under_way: int
    committed: int
    failed: int
    unconcerned: int = 0


def in_cohort(device: str, rollout: str, percent: int) -> bool:
    """Whether a till belongs to the first `percent` of a rollout: drawn anew for each, the same on every machine, growing."""
    drawn = int(hashlib.sha256((device + rollout).encode()).hexdigest()[:8], 16) % COHORTS
    return drawn < percent * COHORTS // 100
