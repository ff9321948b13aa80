"""Member codes at the till: believed or refused without a network, by the cities' public keys."""

from collections.abc import Mapping
from typing import ClassVar

from firmware_bridge.wire.envelope import Verify
from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.member_card import check_card as check_number
from firmware_bridge.wire.member_code import verify_member_code
from firmware_bridge.wire.messages import Clock, ClockSource
from scanner.errors import TillRefusal

_ANY_TIME_S = 10**9


class MemberCodeRefused(TillRefusal):
    """The wire's own word on why, for the cashier; `reason` is its stable code."""

    code: ClassVar[str] = "member_code_refused"
    text_zh = "会员码未被接受：{sentence_zh}"
    text_en = "The member code was refused: {sentence_en}"

    @property
    def reason(self) -> str:
        return str(self.facts["reason"])


def verify(text: str, keys: Mapping[str, Verify], *, wall_ms: int, clock: Clock) -> None:
    """Raises MemberCodeRefused for an expired, forged or malformed code, or one of an unknown city.

    A clock that nothing has ever set cannot judge an expiry: the signature is checked here, the time by the server.
    """
    slack_s = _ANY_TIME_S if clock.src is ClockSource.NONE else -(-clock.err_ms // 1000)
    now_s = (wall_ms + clock.off_ms) // 1000
    try:
        verify_member_code(text, now_s=now_s, keys=keys, clock_slack_s=slack_s)
    except WireError as refused:
        raise _refusal(refused) from refused


def check_card(text: str) -> None:
    """Raises MemberCodeRefused for a paper card that was misread; whose it is the server knows."""
    try:
        check_number(text)
    except WireError as refused:
        raise _refusal(refused) from refused


def _refusal(refused: WireError) -> MemberCodeRefused:
    return MemberCodeRefused(reason=refused.code, sentence_zh=refused.sentence_zh, sentence_en=refused.sentence_en)
