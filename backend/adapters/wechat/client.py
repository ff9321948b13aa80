import hmac
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import structlog

from backend.adapters.wechat.transport import TIMEOUT_S, TokenRefused, Transport
from backend.usecases.wechat import WechatAway, WechatBusy

RENEW_BEFORE_S = 300
"""WeChat keeps the old token good for as long beside the new one."""
TOKEN_S_MAX = 7_200
CALLS_MAX = 4
"""Requests of a process that wait for WeChat at once: when it hangs, the threads that tills need stay free."""

TEXT_CHARS_MAX = 2_500
TEXT_SCENE = 2
"""Comments: what people write about a matter."""
NO_QUERY: Mapping[str, str] = {}

log = structlog.get_logger()


class WechatClient:
    """Shared by the threads of a process. Processes share their access token through WeChat itself: its stable token is
    the same for all who ask, and asking does not end anybody else's.
    """

    def __init__(
        self, url: str, appid: str, secret: str, *, clock: Callable[[], float] = time.monotonic, **http: Any
    ) -> None:
        """`http` goes to httpx.Client."""
        self.appid = appid
        self._secret = secret
        self._clock = clock
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False, **http)
        self._transport = Transport(self._http)
        self._room = threading.BoundedSemaphore(CALLS_MAX)
        self._lock = threading.Lock()
        self._token = ""
        self._good_until_s = 0.0

    def close(self) -> None:
        self._http.close()

    def open_id(self, code: str) -> str:
        """Who `wx.login` let in, by the app's own id of them. A code is good once, for five minutes.

        The session key that comes with it is dropped here: nothing of ours decrypts client data.
        Raises WechatAway, WechatBusy, WechatCodeRefused, WechatPersonBlocked.
        """
        query = {"appid": self.appid, "secret": self._secret, "js_code": code, "grant_type": "authorization_code"}
        try:
            with self._entered():
                answer = self._transport.call("GET", "/sns/jscode2session", params=query)
        except TokenRefused:
            # Without an access token it can only mean the secret.
            log.error("wechat_refuses_us", path="/sns/jscode2session")  # noqa: TRY400 - no bug of ours
            raise WechatAway from None
        return _text(answer, "openid")

    def phone_number(self, code: str) -> str:
        """The number that the resident chose to give, as +<country code><number>. A code is good once, for five minutes.

        Raises WechatAway, WechatBusy, WechatCodeRefused.
        """
        with self._entered():
            found = self._with_token("/wxa/business/getuserphonenumber", {"code": code}).get("phone_info")
        if not isinstance(found, dict):
            raise WechatAway
        return f"+{_text(found, 'countryCode')}{_text(found, 'purePhoneNumber')}"

    def check_session(self, open_id: str, session_key: str) -> None:
        """Raises WechatSessionOver when WeChat has given the user another key since; WechatAway, WechatBusy."""
        signature = hmac.digest(session_key.encode(), b"", "sha256").hex()
        query = {"openid": open_id, "signature": signature, "sig_method": "hmac_sha256"}
        with self._entered():
            self._with_token("/wxa/checksession", None, method="GET", query=query)

    def is_text_acceptable(self, open_id: str, text: str) -> bool:
        """Whether WeChat lets a text stand that `open_id` wrote, who was there within the last two hours; of a longer one
        the first 2,500 characters. What it would have a person look at counts as acceptable: a person reads it here.

        Raises WechatAway, WechatBusy.
        """
        body = {"version": 2, "openid": open_id, "scene": TEXT_SCENE, "content": text[:TEXT_CHARS_MAX]}
        with self._entered():
            result = self._with_token("/wxa/msg_sec_check", body).get("result")
        if not isinstance(result, dict):
            raise WechatAway
        return _text(result, "suggest") != "risky"

    def send_notice(self, open_id: str, template: str, facts: Mapping[str, str]) -> None:
        """One subscribe message, which spends one grant of its template. Raises NoticeRefused, WechatAway, WechatBusy."""
        said = {name: {"value": value} for name, value in facts.items()}
        body = {"touser": open_id, "template_id": template, "data": said, "lang": "zh_CN"}
        with self._entered():
            self._with_token("/cgi-bin/message/subscribe/send", body)

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Raises WechatBusy at once when there is no room: nobody queues for a WeChat that may hang."""
        if not self._room.acquire(blocking=False):
            log.warning("wechat_busy", problem="too many calls at once")
            raise WechatBusy
        try:
            yield
        finally:
            self._room.release()

    def _with_token(
        self, path: str, body: Mapping[str, Any] | None, *, method: str = "POST", query: Mapping[str, str] = NO_QUERY
    ) -> Mapping[str, Any]:
        for last in (False, True):
            token = self._access_token()
            try:
                return self._transport.call(method, path, params={"access_token": token, **query}, json=body)
            except TokenRefused:
                if last:
                    log.error("wechat_refuses_us", path=path)  # noqa: TRY400 - no bug of ours
                    raise WechatAway from None
                self._forget(token)
        raise AssertionError("the last attempt returns or raises")

    def _access_token(self) -> str:
        """Had anew five minutes before its end, by one thread while the others wait for it."""
        with self._lock:
            if self._clock() >= self._good_until_s:
                self._renew()
            return self._token

    def _renew(self) -> None:
        body = {"grant_type": "client_credential", "appid": self.appid, "secret": self._secret, "force_refresh": False}
        asked_s = self._clock()
        try:
            answer = self._transport.call("POST", "/cgi-bin/stable_token", json=body)
        except TokenRefused:
            log.error("wechat_refuses_us", path="/cgi-bin/stable_token")  # noqa: TRY400 - no bug of ours
            raise WechatAway from None
        lasts_s = answer.get("expires_in")
        if not isinstance(lasts_s, int) or not 0 < lasts_s <= TOKEN_S_MAX:
            raise WechatAway
        self._token = _text(answer, "access_token")
        # One that is about to end is used for what is left of it, never asked for again and again.
        self._good_until_s = asked_s + max(1, lasts_s - RENEW_BEFORE_S)

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._good_until_s = 0.0


def _text(answer: Mapping[str, Any], name: str) -> str:
    found = answer.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= 1_024 or not found.isascii():  # noqa: PLR2004
        log.warning("wechat_away", problem=f"no {name}")
        raise WechatAway
    return found
