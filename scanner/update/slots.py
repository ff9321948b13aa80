"""The two slots as the till sees them. How they are read at a start is the launcher's business (`scanner.launch`)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner import launch
from scanner.errors import TillRefusal

TRIES = 3


class SlotsUnusable(TillRefusal):
    code = "slots_unusable"
    text_zh = "程序目录 {path} 不可用：{reason}。"
    text_en = "The folder of slots {path} is not usable: {reason}."


@dataclass(frozen=True, slots=True)
class Ended:
    """The last trial that failed, and why each of its starts did."""

    rollout: str
    failures: tuple[str, ...]


class Slots:
    """Between trials the slot that runs is the last good one; in a trial it is the other."""

    def __init__(self, root: Path, running: str) -> None:
        """Where the link is gone, the launcher took the running slot for the good one, and so it is from now on.

        Raises SlotsUnusable.
        """
        self.root = root
        self.running = running
        if launch.current(root) is None:
            try:
                launch.point(root / launch.CURRENT, running)
            except OSError as error:
                raise SlotsUnusable(path=root, reason=error.strerror) from error

    @property
    def good(self) -> str:
        name = launch.current(self.root)
        assert name is not None
        return name

    @property
    def spare(self) -> Path:
        """The slot that may be written: nothing runs from it, and it is not the last good one."""
        assert self.running == self.good
        return self.root / next(name for name in launch.NAMES if name != self.good)

    def version(self) -> str | None:
        """Of the running slot; None where it was not made from a release."""
        return _fields(self.root / self.running / launch.READY).get("version")

    def committed(self) -> str | None:
        """The rollout that brought the good slot that runs."""
        return _fields(self.root / self.good / launch.READY).get("rollout") if self.running == self.good else None

    def staged(self) -> str | None:
        """The rollout whose release waits whole in the other slot; None from a slot that has to prove itself."""
        return None if self.on_trial else _fields(self.spare / launch.READY).get("rollout")

    @property
    def on_trial(self) -> bool:
        """Whether it is the running slot that has to prove itself."""
        return self.running != self.good

    def trial(self) -> str | None:
        """The rollout on trial, whichever slot runs."""
        found = launch.read_trial(self.root)
        return None if found is None else str(found.get("rollout"))

    def begin_trial(self, rollout: str, health_s: float) -> None:
        trial = {"v": 1, "slot": self.spare.name, "rollout": rollout, "tries": TRIES, "health_s": health_s}
        launch.save(self.root / launch.TRIAL, {**trial, "failures": [], "reboots": 0, "started": None})

    def keep(self) -> None:
        """The running slot is the good one from the moment that the link moves; the rest may come later."""
        launch.point(self.root / launch.CURRENT, self.running)
        launch.remove(self.root / launch.TRIAL)

    def failed(self) -> Ended | None:
        found = _fields(self.root / launch.FAILED)
        failures = found.get("failures")
        return Ended(str(found.get("rollout")), tuple(map(str, failures if isinstance(failures, list) else ())))


def _fields(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
