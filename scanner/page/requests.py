"""Which requests the page's server answers, and what it refuses by name. Pure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

import orjson

from scanner.errors import TillRefusal

BODY_BYTES_MAX = 1_024


class PageRefusal(TillRefusal):
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class HostRefused(PageRefusal):
    """A page of a foreign name that was pointed at this machine, or a browser that was sent here by one."""

    code = "host_refused"
    status = HTTPStatus.FORBIDDEN
    text_zh = "只接受本机页面的请求。"
    text_en = "Only requests of this machine's own page are answered."


class NoSuchPage(PageRefusal):
    code = "no_such_page"
    status = HTTPStatus.NOT_FOUND
    text_zh = "没有这个页面。"
    text_en = "There is no such page."


class BodyUnusable(PageRefusal):
    code = "body_unusable"
    text_zh = "请求内容无法识别。"
    text_en = "The body of the request cannot be understood."


class BodyTooLarge(PageRefusal):
    code = "body_too_large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    text_zh = "请求内容超过 {size_max} 字节。"
    text_en = "The body has more than {size_max} bytes."


class PageBusy(PageRefusal):
    code = "page_busy"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    text_zh = "扫码终端正忙，请再试一次。"
    text_en = "The till is busy; try again."


def check_host(headers: Mapping[str, str], port: int) -> str:
    """The origin under which this request came. Raises HostRefused.

    A foreign name that resolves to 127.0.0.1 (DNS rebinding) would make its pages same-origin with ours.
    """
    host = headers.get("Host", "")
    if host not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        raise HostRefused
    return f"http://{host}"


def check_own_page(headers: Mapping[str, str], origin: str) -> None:
    """For what changes something: browsers state the origin of every POST. Raises HostRefused."""
    if headers.get("Origin") != origin:
        raise HostRefused


def body_size(headers: Mapping[str, str], size_max: int) -> int:
    """Raises BodyUnusable without a length, BodyTooLarge."""
    stated = headers.get("Content-Length", "")
    if not (stated.isascii() and stated.isdigit() and len(stated) < 16):  # noqa: PLR2004 - more digits than bytes exist
        raise BodyUnusable
    if int(stated) > size_max:
        raise BodyTooLarge(size_max=size_max)
    return int(stated)


def seq_of(body: bytes) -> int:
    """`{"seq": 12}`. Raises BodyUnusable."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyUnusable from error
    seq = fields.get("seq") if isinstance(fields, dict) else None
    if type(seq) is not int or not 0 < seq < 2**53:
        raise BodyUnusable
    return seq


def problem(refusal: TillRefusal, status: HTTPStatus) -> bytes:
    """As RFC 9457 has it, both languages."""
    return orjson.dumps(
        {
            "type": f"/problems/{refusal.code.replace('_', '-')}",
            "title": refusal.sentence_en,
            "status": status.value,
            "detail": refusal.sentence_zh,
        }
    )
