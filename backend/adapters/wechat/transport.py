"""One call of WeChat's API: a JSON object with errcode 0 or without one, or a named refusal."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import httpx
import orjson
import structlog

from backend.usecases.wechat import (
    NoticeRefused,
    WechatAway,
    WechatBusy,
    WechatCodeRefused,
    WechatPersonBlocked,
    WechatSessionOver,
)

ANSWER_BYTES_MAX = 65_536
TIMEOUT_S = 5.0
BUSY_WAITS_S = (0.2, 0.6)
"""WeChat asks to come again when it is busy (-1): twice, before the resident is told to."""

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Before there was a connection to send anything on."""

BUSY = -1
OVER_QUOTA = frozenset({45009, 45011})
CODE_REFUSED = frozenset({40029, 40163, 41008})
"""Not a code, used before, none given."""
BLOCKED = 40226
NOTICE_REFUSED = 43101
SESSION_OVER = 87009
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
"""Our access token, not the resident's code: to be had anew."""

_REFUSALS = {BLOCKED: WechatPersonBlocked, NOTICE_REFUSED: NoticeRefused, SESSION_OVER: WechatSessionOver}

log = structlog.get_logger()


class TokenRefused(Exception):
    """The access token is not, or no longer, the app's."""


class Transport:
    def __init__(self, http: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._sleep = sleep

    def call(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        """The answer's object. Raises WechatAway, WechatBusy, TokenRefused, and what its errcode names."""
        for wait_s in (*BUSY_WAITS_S, None):
            answer = self._once(method, path, **request)
            # A success often bears no errcode at all.
            errcode = answer.get("errcode", 0)
            if errcode == 0:
                return answer
            if errcode != BUSY or wait_s is None:
                _refuse(path, errcode)
            self._sleep(wait_s)
        raise AssertionError("the last wait is None")

    def _once(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            log.warning("wechat_away", path=path, problem=type(error).__name__)
            away = WechatAway()
            away.is_unsent = isinstance(error, UNSENT)
            raise away from None
        if answer.status_code != httpx.codes.OK or len(answer.content) > ANSWER_BYTES_MAX:
            log.warning("wechat_away", path=path, status=answer.status_code, size_bytes=len(answer.content))
            raise WechatAway
        return _object(path, answer.content)


def _object(path: str, content: bytes) -> Mapping[str, Any]:
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("errcode", 0), int):
        log.warning("wechat_away", path=path, problem="not an answer")
        raise WechatAway
    return parsed


def _refuse(path: str, errcode: int) -> NoReturn:
    if errcode in TOKEN_REFUSED:
        raise TokenRefused
    if errcode in CODE_REFUSED:
        raise WechatCodeRefused
    if errcode in _REFUSALS:
        raise _REFUSALS[errcode]
    if errcode == BUSY or errcode in OVER_QUOTA:
        log.warning("wechat_busy", path=path, errcode=errcode)
        raise WechatBusy
    # A wrong appid or secret, or a permission that the app lacks: nothing that a resident could mend.
    log.error("wechat_refuses_us", path=path, errcode=errcode)
    raise WechatAway
