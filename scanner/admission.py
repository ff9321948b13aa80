"""Whether the server still takes this till: one that was revoked must not go on beeping for what counts for nothing."""

import contextlib
from collections.abc import Callable
from typing import Final

from scanner import notices
from scanner.feedback import Notice, Signal
from scanner.outbox import Outbox, OutboxUnwritable

REFUSALS_MIN: Final = 3
_REFUSED: Final = "refused"


class Admission:
    """Told by the uplink's thread alone. It stops all reading until a broker takes the till again, also over a restart; one
    whose revocation the server signed stays stopped under that id.
    """

    def __init__(self, outbox: Outbox, device: str, show: Callable[[Notice], None], *, grace_s: float) -> None:
        """`grace_s`: a broker that has just been set up, or lost its rules, learns of the till within seconds."""
        self._outbox = outbox
        self._show = show
        self._grace_s = grace_s
        self._revoked = f"revoked {device}"
        self._since_s: float | None = None
        self._refusals = 0

    def begin(self) -> None:
        """Says at a start how the last run ended. Another identity than the revoked one begins anew."""
        if self._outbox.stopped not in {"", _REFUSED, self._revoked}:
            self._keep("")
        elif self._outbox.stopped:
            self._tell_stopped()

    def refused(self, now_s: float) -> None:
        """A broker let nobody subscribe, or took no connection, because it does not know the till."""
        self._refusals += 1
        self._since_s = now_s if self._since_s is None else self._since_s
        if self._refusals >= REFUSALS_MIN and now_s - self._since_s >= self._grace_s and not self._outbox.stopped:
            self._keep(_REFUSED)
            self._tell_stopped()

    def revoked(self) -> None:
        """The server says so itself, and signed it."""
        if self._outbox.stopped != self._revoked:
            self._keep(self._revoked)
            self._tell_stopped()

    def granted(self) -> None:
        self._refusals, self._since_s = 0, None
        if self._outbox.stopped == _REFUSED:
            self._keep("")
            text_zh, text_en = "本机已重新获准接入，可以扫码。", "The till is admitted again: go on."
            self._show(notices.state("admitted", text_zh, text_en, Signal.RESUMED))

    def _keep(self, why: str) -> None:
        # A disk that does not take it stops this run all the same.
        with contextlib.suppress(OutboxUnwritable):
            self._outbox.stop_reading(why)

    def _tell_stopped(self) -> None:
        if self._outbox.stopped == self._revoked:
            text_zh = "本机已被主管部门停用，暂停扫码，请联系主管部门。"
            text_en = "This till was revoked: reading has stopped. Call the city's office."
            self._show(notices.state("revoked", text_zh, text_en, Signal.STOPPED))
        else:
            text_zh = "本机未获准接入，可能已被停用，暂停扫码！已存记录不会丢失，请联系主管部门。"
            text_en = (
                "The broker admits this till no more: reading has stopped, what is recorded is kept. Call the office."
            )
            self._show(notices.state("not_admitted", text_zh, text_en, Signal.STOPPED))
