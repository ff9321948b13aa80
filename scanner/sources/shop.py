"""What the shop's own till says of a sale: lines of JSON, by HTTP or by a serial line of its own. Pure.

Never read where labels are read: a QR symbol may hold any text, also one that looks like such a line.
"""

import orjson

from scanner.join import SHOP
from scanner.sources.model import FeedLineUnusable, ShopLine, Unusable
from scanner.sources.text import feed_events

ID_CHARACTERS_MAX = 64


def shop_line(line: bytes, *, mono_ms: int) -> ShopLine:
    """`{"id"?, "code", "sym"?, "qty"?, "price_fen"?, "sn"?, "cashier"?, "slip_no"?, "finish"?, …}`.

    `id` is the shop's own for this line: what comes again with it was taken before.
    """
    try:
        line_id, rest = _parts(line)
    except FeedLineUnusable as refusal:
        return ShopLine(None, (Unusable(refusal),))
    return ShopLine(line_id, tuple(feed_events(rest, src=SHOP, mono_ms=mono_ms)))


def _parts(line: bytes) -> tuple[str | None, bytes]:
    """The line's id, and the line without it. Raises FeedLineUnusable."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise FeedLineUnusable(reason="JSON") from error
    if not isinstance(fields, dict) or not fields:
        raise FeedLineUnusable(reason="JSON")
    line_id = fields.pop("id", None)
    if line_id is not None and not (isinstance(line_id, str) and 0 < len(line_id) <= ID_CHARACTERS_MAX):
        raise FeedLineUnusable(reason="id")
    try:
        return line_id, orjson.dumps(fields)
    except orjson.JSONEncodeError as error:  # it reads deeper than it writes
        raise FeedLineUnusable(reason="JSON") from error
