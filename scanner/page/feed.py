"""Lines of the shop's own till by HTTP: each answered once it is on disk, or refused by name."""

import hmac
import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import orjson

from scanner.clock import Clock
from scanner.errors import TillRefusal
from scanner.page.requests import PageBusy, PageRefusal
from scanner.sources.model import LineOutcome, ShopLines, SourceEvent
from scanner.sources.shop import shop_line

BODY_BYTES_MAX: Final = 262_144
LINES_MAX: Final = 200
ANSWER_S_MAX: Final = 5.0
TOKEN_CHARACTERS_MIN: Final = 16


class FeedTokenUnusable(TillRefusal):
    code = "feed_token_unusable"
    text_zh = "收银系统令牌文件 {path} 不可用：至少 {size_min} 个字符。"
    text_en = "The token file {path} of the shop's till cannot be used: it needs {size_min} characters or more."


class FeedTokenWrong(PageRefusal):
    code = "feed_token_wrong"
    status = HTTPStatus.UNAUTHORIZED
    text_zh = "收银系统的令牌不对。"
    text_en = "The token of the shop's till is not the right one."


class TooManyLines(PageRefusal):
    code = "too_many_lines"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    text_zh = "一次最多 {lines_max} 行。"
    text_en = "At most {lines_max} lines at a time."


@dataclass(frozen=True, slots=True)
class Feed:
    """Any thread. `put` says whether there was room."""

    token: str
    put: Callable[[SourceEvent], bool]
    clock: Clock

    def take(self, body: bytes) -> bytes:
        """One outcome a line, in their order. Raises TooManyLines, PageBusy.

        After PageBusy the till may have taken the lines all the same: those with an `id` may be sent again.
        """
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) > LINES_MAX:
            raise TooManyLines(lines_max=LINES_MAX)
        answers: queue.SimpleQueue[tuple[LineOutcome, ...]] = queue.SimpleQueue()
        seen = tuple(shop_line(line, mono_ms=self.clock.mono_ms()) for line in lines)
        if not self.put(ShopLines(seen, answers.put)):
            raise PageBusy
        try:
            outcomes = answers.get(timeout=ANSWER_S_MAX)
        except queue.Empty as error:
            raise PageBusy from error
        return orjson.dumps({"lines": [_as_json(number, outcome) for number, outcome in enumerate(outcomes, start=1)]})

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Raises FeedTokenWrong."""
        given = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            raise FeedTokenWrong


def read_token(path: Path) -> str:
    """Raises FeedTokenUnusable."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FeedTokenUnusable(path=path, size_min=TOKEN_CHARACTERS_MIN) from error
    if len(token) < TOKEN_CHARACTERS_MIN:
        raise FeedTokenUnusable(path=path, size_min=TOKEN_CHARACTERS_MIN)
    return token


def _as_json(number: int, outcome: LineOutcome) -> dict[str, object]:
    said: dict[str, object] = {"line": number, "id": outcome.line_id}
    if outcome.refusal is None:
        return {**said, "state": "repeated" if outcome.repeated else "taken"}
    refusal = outcome.refusal
    return {
        **said,
        "state": "refused",
        "code": refusal.code,
        "detail_zh": refusal.sentence_zh,
        "detail_en": refusal.sentence_en,
    }
