"""How a version of an entry stands in a row, and what is read of it again."""

import json
from collections.abc import Sequence
from typing import Any

from backend.kernel.periods import Period
from backend.redemptions.model import Entry, Kind, Limit, Offer

OFFER_COLUMNS = (
    "v.entry, v.kind, v.title_zh, v.title_en, v.text_zh, v.text_en, v.points, v.pieces_max, e.stock, v.starts_at, v.ends_at,"
    " v.hold_minutes, v.at_till, v.voucher_days, v.points_back, v.recipient, v.shop_fen, v.stores, v.limit_pieces,"
    " v.limit_period, v.version, v.withdrawn, e.taken"
)
"""Of `catalogue_versions v` and `catalogue_entries e`: the stock is the entry's, whichever version is read."""
_NAMES = [column.partition(".")[2] for column in OFFER_COLUMNS.split(", ")]
_OF_OFFER = ("version", "withdrawn", "taken")


def offer_of(row: Sequence[Any]) -> Offer:
    """Columns that follow are another's."""
    values = dict(zip(_NAMES, row, strict=False))
    pieces, period = values.pop("limit_pieces"), values.pop("limit_period")
    standing = {name: values.pop(name) for name in _OF_OFFER}
    values["kind"], values["stores"] = Kind(values["kind"]), tuple(json.loads(values["stores"]))
    return Offer(Entry(**values, limit=None if pieces is None else Limit(pieces, Period(period))), **standing)


def entry_columns(entry: Entry) -> dict[str, Any]:
    """By the columns of `catalogue_versions`."""
    values = entry._asdict()
    limit = values.pop("limit")
    return values | {
        "kind": entry.kind.value,
        "stores": json.dumps(entry.stores, ensure_ascii=False),
        "limit_pieces": None if limit is None else limit.pieces,
        "limit_period": None if limit is None else limit.period.value,
    }
