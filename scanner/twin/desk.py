"""Takes desired settings from the uplink, tries them between baskets, and tells the server what became of them."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.twin import (
    DesiredTwin,
    Document,
    TwinStatus,
    decode_desired,
    decode_document,
    encode_reported,
)
from scanner import notices
from scanner.chaos import Chaos, ChaosPoint
from scanner.feedback import Notice, Signal
from scanner.settings import Settings
from scanner.twin import state as twins
from scanner.twin.file import TwinFile
from scanner.twin.state import TwinState
from scanner.update.window import read_window

WAITING_MAX: Final = 16
"""Desired settings that wait for the end of a basket; the newest are kept, and of them the newest counts."""
_SENTENCES: Final = {
    TwinStatus.TRIAL: ("收到新的终端设置，开始试用。", "New settings came; they are on trial."),
    TwinStatus.APPLIED: ("新的终端设置已生效。", "The new settings stay."),
    TwinStatus.REJECTED: ("新的终端设置不可用，未采用。", "The new settings are not usable and were not taken."),
    TwinStatus.REVERTED: (
        "新的终端设置不正常，已退回上一版。",
        "The till was not well by its new settings: it went back.",
    ),
}


class TwinDesk:
    """`take` may come from any thread; everything else belongs to the main loop. Times never fall."""

    def __init__(
        self,
        base: Settings,
        file: TwinFile,
        report: Callable[[bytes], None],
        show: Callable[[Notice], None],
        chaos: Chaos,
        *,
        boot: str,
    ) -> None:
        """`base`: what the environment says; a document stands before it, setting by setting."""
        self._base = base
        self._file = file
        self._report = report
        self._show = show
        self._chaos = chaos
        self._boot = boot
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)
        self._state = TwinState()
        self._deadline_s = 0.0
        self.settings = base

    def take(self, body: bytes) -> None:
        """A genuine message of the server."""
        self._waiting.append(body)

    def begin(self, now_s: float) -> None:
        """What the last run left: a trial in which it died is over."""
        loaded = self._file.load()
        if loaded.set_aside is not None:
            text_zh, text_en = "本机保存的设置已损坏，等待服务器重新下发。", "The kept settings were broken."
            self._show(notices.state("twin_set_aside", text_zh, text_en, Signal.WARNING, path=str(loaded.set_aside)))
        self._state = loaded.state
        self._become(twins.started(loaded.state, boot=self._boot), now_s)
        self.settings = _tuned(self._base, self._state.document)
        self._tell_server()

    def tick(self, now_s: float, unwell: Callable[[], str | None]) -> None:
        """Not called while a basket is open: it ends by the rules it began under. Afterwards `settings` are what counts."""
        while self._waiting:
            self._judge(self._waiting.popleft(), now_s)
        if self._state.trial is not None and now_s >= self._deadline_s:
            why = unwell()
            self._become(twins.passed(self._state) if why is None else twins.reverted(self._state, why), now_s)

    def end(self) -> None:
        """The till ends in good order; a trial goes on when it is started again."""
        if self._state.trial is not None:
            self._save(twins.left(self._state))

    def _judge(self, body: bytes, now_s: float) -> None:
        try:
            twin = decode_desired(body)
        except WireError as error:
            # Nobody knows which version it was, so there is none to judge.
            text_zh, text_en = "服务器下发的设置无法识别，已忽略。", "Settings that cannot be read were ignored."
            self._show(notices.state("twin_unusable", text_zh, text_en, Signal.WARNING, reason=error.code))
            return
        self._become(twins.offered(self._state, twin, self._fault(twin), boot=self._boot), now_s)

    def _fault(self, twin: DesiredTwin) -> str | None:
        fault = twins.fault_of(twin)
        if fault is None:
            tuned = _tuned(self._base, decode_document(twin))
            if tuned.finish_code == tuned.void_code:
                return "same_codes"
        return fault

    def _become(self, state: TwinState, now_s: float) -> None:
        """On disk first; what cannot be kept is not applied, and comes again with the next connection."""
        before, self._state = self._state, self._save(state)
        if self._state == before:
            return
        if self._state.trial is not None and self._state.trial != before.trial:
            self._deadline_s = now_s + self._base.twin_trial_s
            self._chaos.reach(ChaosPoint.TWIN_ON_TRIAL)
        self.settings = _tuned(self._base, self._state.document)
        self._chaos.reach(ChaosPoint.TWIN_APPLIED)
        self._tell_cashier()
        self._tell_server()

    def _save(self, state: TwinState) -> TwinState:
        if state == self._state:
            return state
        try:
            self._file.save(state)
        except OSError as error:
            text_zh, text_en = (
                "新的设置无法存盘，暂不采用。",
                "The new settings cannot be kept on disk, so they are not taken.",
            )
            self._show(notices.state("twin_unsaved", text_zh, text_en, Signal.WARNING, reason=type(error).__name__))
            # A trial that has ended is over all the same; the next start ends it on disk, too.
            return self._state if state.trial is not None or self._state.trial is None else state
        return state

    def _tell_cashier(self) -> None:
        state = self._state
        good = state.status in (TwinStatus.APPLIED, TwinStatus.TRIAL)
        name = f"twin_{state.status}"
        signal = Signal.NONE if good else Signal.WARNING
        self._show(notices.state(name, *_SENTENCES[state.status], signal, version=state.version, reason=state.error))

    def _tell_server(self) -> None:
        self._report(encode_reported(twins.reported(self._state)))


def _tuned(base: Settings, document: Document) -> Settings:
    """`base` with what the document names; both call a setting by the same name, but for what concerns updates alone."""
    plain = {name: value for name, value in document.items() if name != "update_window"}
    tuned = replace(base, **plain)  # type: ignore[arg-type]  # checked against the names and types of the contract
    window = document.get("update_window")
    if window is None or base.updates is None:
        return tuned
    return replace(tuned, updates=replace(base.updates, window=read_window(str(window))))
