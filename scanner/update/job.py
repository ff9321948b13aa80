"""The update that this till is on, as it stands on disk."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from firmware_bridge.wire.jobs import ENDED, UpdateOffer, UpdateState
from scanner import launch


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    offer: UpdateOffer
    state: UpdateState = UpdateState.OFFERED
    reason: str | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def save(path: Path, job: Job) -> None:
    launch.save(path, {"v": 1, "offer": asdict(job.offer), "state": job.state, "reason": job.reason})


def load(path: Path) -> Job | None:
    """None when there is none, or none that can be read: the server offers again what has not ended."""
    try:
        found = json.loads(path.read_bytes())
        offer = UpdateOffer(**{**found["offer"], "hardware": tuple(found["offer"]["hardware"])})
        return Job(offer=offer, state=UpdateState(found["state"]), reason=found["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
