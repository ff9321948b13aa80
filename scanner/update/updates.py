"""Updates beside a till that trades: the work has a thread of its own, and the till ends only where nobody is served."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.jobs import Cancelled, JobReport, UpdateOffer, UpdateState, decode_job, encode_report
from scanner import notices
from scanner.feedback import Notice, Signal
from scanner.lasting import LastingThread
from scanner.settings import UpdateSettings
from scanner.update.machine import Machine
from scanner.update.repository import Repository, RepositoryAway
from scanner.update.slots import Slots
from scanner.update.stage import install_by_pip
from scanner.update.trial import TrialWatch
from scanner.update.window import is_open

RETRY_MIN_S: Final = 30.0
RETRY_MAX_S: Final = 1_800.0
LOOK_S: Final = 20.0
HEARD_WITHIN_S: Final = 600.0
"""For how long an offer that was heard is taken to stand: what calls it off may wait in the bridge or be lost with it."""
WORDS: Final = {
    UpdateState.OFFERED: ("收到更新", "An update is offered"),
    UpdateState.DOWNLOADING: ("正在下载更新", "The update is being fetched"),
    UpdateState.VERIFIED: ("更新包已验证", "The update is genuine"),
    UpdateState.STAGED: ("更新已就绪，等待空闲时启用", "The update waits until nobody is served"),
    UpdateState.TRIAL: ("正在试运行新版本", "The new release is on trial"),
    UpdateState.COMMITTED: ("更新完成", "The update is kept"),
    UpdateState.ROLLED_BACK: ("新版本未通过试运行，已退回原版本", "The new release failed; the old one runs again"),
    UpdateState.FAILED: ("更新未完成", "The update was given up"),
}


class Heard(NamedTuple):
    """An offer, on which connection to the broker and when it was heard."""

    rollout: str
    connection: int | None
    at_s: float

    def stands(self, rollout: str, connection: int, now_s: float) -> bool:
        """A connection that ended may have missed what called it off."""
        return self[:2] == (rollout, connection) and now_s - self.at_s <= HEARD_WITHIN_S


class Updates:
    def __init__(
        self,
        settings: UpdateSettings,
        health: TrialWatch,
        report: Callable[[bytes], None],
        show: Callable[[Notice], None],
        outbox_is_readable: Callable[[], bool],
        wall_ms: Callable[[], int],
        *,
        release: str,
    ) -> None:
        """Raises SlotsUnusable."""
        self._settings = settings
        self._health = health
        self._outbox_is_readable = outbox_is_readable
        self._report = report
        self._show = show
        self._wall_ms = wall_ms
        self._said: queue.SimpleQueue[UpdateOffer | Cancelled | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        repository = Repository(settings.url, settings.root, settings.slots / "metadata", settings.ca)
        self._machine = Machine(
            Slots(settings.slots, settings.slot),
            repository,
            install_by_pip,
            self._tell,
            hardware=settings.hardware,
            release=release,
            trial_s=settings.trial_s,
        )
        self._told: JobReport | None = None
        self._heard: Heard | None = None
        self._on_trial = self._machine.on_trial
        self.thread = LastingThread("update", self._work, show)

    def start(self, test_itself: Callable[[], int | None]) -> None:
        """`test_itself` closes the basket that a slot on trial has to see a receipt for, before anything is sent."""
        self._machine.resume()
        if self._on_trial:
            self._health.expect(test_itself())
        self.thread.start()

    def retune(self, settings: UpdateSettings) -> None:
        """Another window or pause; where updates come from stays."""
        self._settings = settings

    def stop(self) -> None:
        """A step that is under way is cut; it is done again."""
        self._stopping.set()
        self._said.put(None)

    def take(self, body: bytes) -> None:
        """A job, from the uplink's thread."""
        try:
            said = decode_job(body)
        except WireError as error:
            text_zh, text_en = "更新通知无法识别，已忽略。", "A job was not usable and was ignored."
            self._show(notices.state("job_unusable", text_zh, text_en, Signal.WARNING, reason=error.code))
            return
        offered = isinstance(said, UpdateOffer)
        self._heard = Heard(said.rollout, self._health.connection(), time.monotonic()) if offered else None
        self._said.put(said)

    def tick(self, idle_s: float, *, basket_open: bool) -> bool:
        """Now and then, from the till's own thread: whether the till has to end, to be started again at once."""
        if self._on_trial:
            if self._health.healthy() and self._outbox_is_readable():
                self._on_trial = not self._machine.keep()
            return False
        if basket_open or idle_s < self._settings.idle_s or not self._is_quiet():
            return False
        return self._begin_trial()

    def _begin_trial(self) -> bool:
        """Only of what the server offered on this very connection, just now: an update may have been called off while this till
        was away, and without a connection no trial could end well.
        """
        rollout, connection = self._machine.staged(), self._health.connection()
        if rollout is None or connection is None:
            return False
        heard = self._heard
        if heard is not None and heard.stands(rollout, connection, time.monotonic()):
            return self._machine.begin_trial()
        self._machine.ask_whether_it_stands()
        return False

    def _work(self) -> None:
        """A step at a time while nobody trades; a repository that is away is tried again later and later."""
        wait_s, not_before_s = RETRY_MIN_S, 0.0
        while not self._stopping.is_set():
            self._listen(LOOK_S)
            while self._is_quiet() and time.monotonic() >= not_before_s and not self._stopping.is_set():
                try:
                    if not self._machine.step():
                        break
                    wait_s = RETRY_MIN_S
                except RepositoryAway:
                    not_before_s, wait_s = time.monotonic() + wait_s, min(RETRY_MAX_S, 2 * wait_s)

    def _listen(self, wait_s: float) -> None:
        try:
            said = self._said.get(timeout=wait_s)
        except queue.Empty:
            return
        if said is not None:
            self._machine.take(said)

    def _is_quiet(self) -> bool:
        return is_open(self._settings.window, self._wall_ms())

    def _tell(self, report: JobReport) -> None:
        self._report(encode_report(report))
        if report == self._told:
            return
        self._told = report
        zh, en = WORDS[report.state]
        why_zh, why_en = ("", "") if report.reason is None else (f"（{report.reason}）", f" ({report.reason})")
        signal = Signal.WARNING if report.state in (UpdateState.ROLLED_BACK, UpdateState.FAILED) else Signal.NONE
        facts = {"update": report.state, "rollout": report.rollout, "reason": report.reason}
        self._show(notices.state("update", f"{zh}{why_zh}。", f"{en}{why_en}.", signal, **facts))
