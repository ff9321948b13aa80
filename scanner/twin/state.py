"""What a till makes of the settings that it is offered. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.twin import DesiredTwin, Document, ReportedTwin, TwinStatus, decode_document

STARTS_MAX: Final = 3
"""A trial outlives so many starts, when it was not its own program that died."""
LEFT: Final = ""
"""In the place of a boot: the till ended in good order."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`boot`: of the machine, when the till last began with it; `starts` counts how often it did."""

    twin: DesiredTwin
    boot: str
    starts: int


@dataclass(frozen=True, slots=True)
class TwinState:
    """`version`: the newest that was judged; `status` and `error` are about that one."""

    version: int = 0
    status: TwinStatus = TwinStatus.NONE
    error: str | None = None
    good: DesiredTwin | None = None
    trial: Trial | None = None

    @property
    def current(self) -> DesiredTwin | None:
        """What the till runs by."""
        return self.good if self.trial is None else self.trial.twin

    @property
    def document(self) -> Document:
        """Raises WireError: kept by a release that knew other settings."""
        return {} if self.current is None else decode_document(self.current)


def offered(state: TwinState, twin: DesiredTwin, fault: str | None, *, boot: str) -> TwinState:
    """What is not newer is a repeat, or a broker that fell back: it changes nothing. Equal bytes need no trial."""
    if twin.version <= state.version:
        return state
    judged = replace(state, version=twin.version, error=fault)
    if fault is not None:
        return replace(judged, status=TwinStatus.REJECTED)
    if state.current is None or state.current.sha256 != twin.sha256:
        return replace(judged, status=TwinStatus.TRIAL, trial=Trial(twin, boot, starts=1))
    if state.trial is not None:
        return replace(judged, status=TwinStatus.TRIAL, trial=replace(state.trial, twin=twin))
    return replace(judged, status=TwinStatus.APPLIED, good=twin)


def passed(state: TwinState) -> TwinState:
    assert state.trial is not None
    return replace(_judged(state, TwinStatus.APPLIED, None), good=state.trial.twin, trial=None)


def reverted(state: TwinState, why: str) -> TwinState:
    assert state.trial is not None
    return replace(_judged(state, TwinStatus.REVERTED, why), trial=None)


def started(state: TwinState, *, boot: str) -> TwinState:
    """A program that died in its trial is not started with it again. Another boot is a power cut, or a clean end: that
    says nothing of the settings, but must not go on for ever.
    """
    if state.trial is None:
        return state
    if state.trial.boot == boot:
        return reverted(state, "crashed")
    if state.trial.starts >= STARTS_MAX:
        return reverted(state, "restarted")
    return replace(state, trial=Trial(state.trial.twin, boot, state.trial.starts + 1))


def left(state: TwinState) -> TwinState:
    """The till ends in good order."""
    return state if state.trial is None else replace(state, trial=replace(state.trial, boot=LEFT))


def reported(state: TwinState) -> ReportedTwin:
    current = state.current
    applied, sha256 = (0, None) if current is None else (current.version, current.sha256)
    return ReportedTwin(state.version, applied, sha256, state.status, state.error)


def fault_of(twin: DesiredTwin) -> str | None:
    """Why it cannot be used, in a word."""
    try:
        decode_document(twin)
    except WireError as error:
        return named(error)
    return None


def named(error: WireError) -> str:
    """Its code and, where one is at fault, the field; printable, for it travels to an operator."""
    word = f"{error.code} {error.facts.get('field', '')}".strip()
    return "".join(character if character.isprintable() else "?" for character in word)


def _judged(state: TwinState, status: TwinStatus, error: str | None) -> TwinState:
    """A newer version may have been rejected meanwhile: the end of an older one's trial is no news of that."""
    return replace(state, status=status, error=error) if state.status is TwinStatus.TRIAL else state
