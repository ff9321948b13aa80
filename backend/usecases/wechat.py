"""What sign-in needs of WeChat, and how WeChat refuses."""

from collections.abc import Mapping
from typing import Protocol

from backend.kernel.errors import DomainError


class WechatCodeRefused(DomainError):
    code = "wechat-code-refused"
    text_zh = "微信登录凭证已失效，请重新打开小程序再试。"
    text_en = "WeChat's code is used or out of date; please open the mini-program again."


class WechatPersonBlocked(DomainError):
    code = "wechat-person-blocked"
    text_zh = "微信提示该账号存在安全风险，暂不能用微信登录；可改用手机号登录。"
    text_en = "WeChat holds this account to be at risk; please sign in by phone number instead."


class WechatBusy(DomainError):
    code = "wechat-busy"
    text_zh = "微信服务繁忙，请稍后再试。"
    text_en = "WeChat is busy; please try again in a moment."


class WechatAway(DomainError):
    code = "wechat-away"
    text_zh = "暂时连不上微信，请稍后再试，或改用手机号登录。"
    text_en = "WeChat cannot be reached; please try again later or sign in by phone number."
    is_unsent = False
    """Whether what was asked has surely not arrived, so that it may be asked again."""


class NoticeRefused(DomainError):
    """The resident has withdrawn the grant, or it was used up: it is not tried again."""

    code = "notice-refused"
    text_zh = "用户未授权或授权已用完，通知未发送。"
    text_en = "The resident has not granted this notice, or the grant is used up."


class WechatSessionOver(DomainError):
    code = "wechat-session-over"
    text_zh = "微信登录状态已失效，请重新登录。"
    text_en = "The WeChat session is over; please sign in again."


class Wechat(Protocol):
    """Every method may raise WechatAway and WechatBusy. No database transaction is open around a call."""

    @property
    def appid(self) -> str: ...

    def open_id(self, code: str) -> str:
        """Whom `wx.login` let in. Raises WechatCodeRefused, WechatPersonBlocked."""

    def phone_number(self, code: str) -> str:
        """The number behind the code of a getPhoneNumber button, as +86.... Raises WechatCodeRefused."""

    def check_session(self, open_id: str, session_key: str) -> None:
        """Raises WechatSessionOver when `session_key` is no longer the user's."""

    def is_text_acceptable(self, open_id: str, text: str) -> bool:
        """Whether WeChat lets `text` stand, which a user wrote who was there within the last two hours."""

    def send_notice(self, open_id: str, template: str, facts: Mapping[str, str]) -> None:
        """Spends one grant of the user. Raises NoticeRefused."""
