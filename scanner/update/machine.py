"""offered > downloading > verified > staged > trial > committed | rolled_back | failed.

Each step may be cut anywhere and is done again. What became of a trial is read from the slots, not from what was written of it
before: so the two can never disagree.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from firmware_bridge.wire.jobs import UNCONFIRMED, Cancelled, JobReport, UpdateOffer, UpdateState
from scanner.update import job as job_file
from scanner.update.job import Job
from scanner.update.release import Compatibility, UpdateRefused, check, compatibility
from scanner.update.repository import Repository, RepositoryAway
from scanner.update.slots import Slots
from scanner.update.stage import Install, build, full_disk_refused

_WORK = frozenset({UpdateState.OFFERED, UpdateState.DOWNLOADING, UpdateState.VERIFIED})


class Machine:
    """One thing at a time; a step may take minutes, and who cannot wait asks `begin_trial` again later."""

    def __init__(
        self,
        slots: Slots,
        repository: Repository,
        install: Install,
        tell: Callable[[JobReport], None],
        *,
        hardware: str,
        release: str,
        trial_s: float,
    ) -> None:
        """`release`: what runs, where its slot was not made from a release."""
        self._slots = slots
        self._repository = repository
        self._install = install
        self._tell = tell
        self._hardware = hardware
        self._running = slots.version() or release
        self._trial_s = trial_s
        self._job_path = slots.root / "job.json"
        self._bundle = slots.root / "bundle.tar"
        self._guard = threading.Lock()
        self._job = job_file.load(self._job_path)

    @property
    def on_trial(self) -> bool:
        return self._slots.on_trial

    def resume(self) -> None:
        """What became of the job while the till did not run."""
        with self._guard:
            job = self._job
            if job is None:
                return
            job = job if job.ended else self._settled(job)
            if job.ended:
                self._end(job, job.state, job.reason)
            else:
                self._set(job)

    def take(self, said: UpdateOffer | Cancelled) -> None:
        """An offer that is known, or comes during a trial, changes nothing; the server repeats what matters to it."""
        with self._guard:
            job = self._job
            if isinstance(said, Cancelled):
                if job is not None and job.offer.rollout == said.rollout and self._may_be_dropped(job):
                    self._end(job, UpdateState.FAILED, "cancelled")
            elif job is None or (job.offer.rollout != said.rollout and self._may_be_dropped(job)):
                self._set(Job(offer=said))
            elif job.offer.rollout == said.rollout:
                waits = job.state is UpdateState.STAGED and job.reason == UNCONFIRMED
                self._set(replace(job, reason=None) if waits else job)

    def step(self) -> bool:
        """Whether there was something to do. Raises RepositoryAway: to be called again later."""
        with self._guard:
            job = self._job
            if job is None or job.state not in _WORK or self.on_trial:
                return False
            try:
                with full_disk_refused():
                    self._advance(job)
            except RepositoryAway as away:
                self._set(replace(self._job or job, reason=away.reason))
                raise
            except UpdateRefused as refusal:
                self._end(job, UpdateState.FAILED, refusal.code)
            except OSError:
                self._end(job, UpdateState.FAILED, "disk_error")
            return True

    def staged(self) -> str | None:
        """The rollout whose release waits for its trial. None also while a step is under way."""
        if not self._guard.acquire(blocking=False):
            return None
        try:
            job = self._job
            return job.offer.rollout if job is not None and job.state is UpdateState.STAGED else None
        finally:
            self._guard.release()

    def ask_whether_it_stands(self) -> None:
        """Says once that the staged release waits for the server's word; the server then repeats its offer, or calls it off."""
        if not self._guard.acquire(blocking=False):
            return
        try:
            job = self._job
            if job is not None and job.state is UpdateState.STAGED and job.reason != UNCONFIRMED:
                self._set(replace(job, reason=UNCONFIRMED))
        finally:
            self._guard.release()

    def begin_trial(self) -> bool:
        """Whether the till now has to end, so that the launcher starts the other slot."""
        if not self._guard.acquire(blocking=False):
            return False
        try:
            job = self._job
            if job is None or job.state is not UpdateState.STAGED:
                return False
            return self._began(job)
        finally:
            self._guard.release()

    def keep(self) -> bool:
        """The slot on trial is good. False where the disk did not take it: to be asked again."""
        with self._guard:
            try:
                self._slots.keep()
            except OSError:
                return False
            if self._job is not None:
                self._end(self._job, UpdateState.COMMITTED, None)
            return True

    def _advance(self, job: Job) -> None:
        if job.state is UpdateState.VERIFIED and self._bundle.exists():
            self._stage(job)
            return
        offer = job.offer
        # The offer is refused before anything is fetched; what counts is what the target's own metadata say.
        check(Compatibility(offer.version, offer.hardware, offer.min_version), **self._here)
        found = self._repository.find(offer.target)
        signed = compatibility(found.custom)
        check(signed, **self._here)
        job = replace(job, offer=replace(offer, version=signed.version), state=UpdateState.DOWNLOADING, reason=None)
        self._set(job)
        self._repository.fetch(found, self._bundle)
        _sync(self._bundle)
        self._set(replace(job, state=UpdateState.VERIFIED))

    def _stage(self, job: Job) -> None:
        if self._slots.staged() != job.offer.rollout:
            build(self._bundle, self._slots.spare, job.offer.rollout, job.offer.version, self._install)
        self._set(replace(job, state=UpdateState.STAGED))

    def _began(self, job: Job) -> bool:
        try:
            self._slots.begin_trial(job.offer.rollout, self._trial_s)
        except OSError:
            self._end(job, UpdateState.FAILED, "disk_error")
            return False
        self._set(replace(job, state=UpdateState.TRIAL, reason=None))
        return True

    def _settled(self, job: Job) -> Job:
        rollout, failed = job.offer.rollout, self._slots.failed()
        if self._slots.trial() == rollout:
            return replace(job, state=UpdateState.TRIAL)
        if self._slots.committed() == rollout:
            return replace(job, state=UpdateState.COMMITTED)
        if failed is not None and failed.rollout == rollout:
            return replace(job, state=UpdateState.ROLLED_BACK, reason=_word(failed.failures))
        if job.state is UpdateState.TRIAL:
            return replace(job, state=UpdateState.ROLLED_BACK, reason="trial_lost")
        if job.state is UpdateState.STAGED and self._slots.staged() != rollout:
            return replace(job, state=UpdateState.OFFERED)
        return job

    def _may_be_dropped(self, job: Job) -> bool:
        return job.state is not UpdateState.TRIAL and not self.on_trial

    def _end(self, job: Job, state: UpdateState, reason: str | None) -> None:
        self._set(replace(job, state=state, reason=reason))
        with contextlib.suppress(OSError):
            for left in (self._bundle, *self._slots.root.glob("*.part")):
                left.unlink(missing_ok=True)

    def _set(self, job: Job) -> None:
        """On disk before anyone is told; a disk that does not take it stops no sale, and what it missed is found out, or done
        again, after the next start.
        """
        if job != self._job:
            self._job = job
            with contextlib.suppress(OSError):
                job_file.save(self._job_path, job)
        self._report(job)

    def _report(self, job: Job) -> None:
        self._tell(JobReport(rollout=job.offer.rollout, state=job.state, version=self._running, reason=job.reason))

    @property
    def _here(self) -> dict[str, str]:
        return {"running": self._running, "hardware": self._hardware}


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _word(failures: tuple[str, ...]) -> str:
    last = failures[-1] if failures else "rebooted"
    return re.sub(r"[^a-z0-9_]+", "_", last.lower())[:64] or "failed"
