"""Sales of a shop's file become baskets like any till's: the same checks, the same engine, the same answers."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.labels.parse import parse
from backend.policies.compiled import PolicySet
from backend.retailers import queries as retailers
from backend.sales_files.model import RowAnswer, RowState, Sale, refusal
from backend.scans import replay, slip_search, store
from backend.scans.explain import DecidedScan, sentence
from backend.scans.identity import basket_id
from backend.scans.lines import MalformedBasket, Origin, read_line
from backend.scans.model import BATCH_READS_MAX, BasketConflict, BasketState, Channel, Recorded
from backend.scans.redact import is_hidden, is_private
from backend.scans.sale_time import FUTURE_MAX_MS, PAST_MAX_MS, Clock
from backend.scans.slip_search import Slip, SoldGoods
from backend.scans.slips import canonical
from backend.storage.transaction import Database
from backend.usecases.accept_messages import arrival_of
from backend.usecases.record_baskets import Arrival
from backend.usecases.take_decisions import PolicyLookup

_SEQ = 1
_CLOCK = Clock("rtc", 0, "", 0)
"""The shop's own clock: believed as a till's that is not synchronised, so that a file proves as much as a till offline (P2)."""
_FIRST = 1


class Recorder(Protocol):
    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]: ...


class Uploaded(NamedTuple):
    """Whose sales these are, and when they came."""

    city: str
    retailer: str
    at: datetime


_Goods = tuple[tuple[str, int, int, str], ...]
"""The lines of a sale, in whatever order: code ("": not kept), pieces, price in fen (-1: none), serial."""


class _Known(NamedTuple):
    """What the record says of some sales before they are recorded."""

    districts: Mapping[str, str]
    """Of the retailer's own shops."""
    recorded: frozenset[str]
    """Baskets of those that come late."""
    slips: frozenset[Slip]
    """Of which a till has sent the sale."""
    goods: dict[tuple[Slip, _Goods], str]
    """What is recorded of slips, these sales as they are read among them, and in which basket."""


def device_of(retailer: str) -> str:
    """Under which a retailer's files record."""
    return f"f-{retailer}"


def basket_of(city: str, retailer: str, event: str) -> str:
    """One number of one retailer in one city is one sale, whoever uploads it, when and by which way."""
    return basket_id(device_of(retailer), _stream(city, retailer, event), _SEQ)


class RecordSales:
    """Safe to call from many threads and processes at once; calling it again changes nothing."""

    def __init__(self, database: Database, recorder: Recorder, policies: PolicyLookup) -> None:
        self._database = database
        self._recorder = recorder
        self._policies = policies

    def record(self, uploaded: Uploaded, sales: Sequence[Sale], now: datetime) -> list[RowAnswer]:
        """One answer a line, after COMMIT."""
        with self._database.read() as connection:
            known = _known(connection, uploaded, sales)

        answers: list[RowAnswer] = []
        heard: list[tuple[Sale, Arrival]] = []
        for sale in sales:
            found = _read(uploaded, sale, known)
            if isinstance(found, Arrival):
                heard.append((sale, found))
            else:
                answers += found

        recorded = self._recorder.record(uploaded.city, [arrival for _, arrival in heard], now) if heard else []
        return answers + self._answers(uploaded.city, [sale for sale, _ in heard], recorded)

    def _answers(self, city: str, sales: Sequence[Sale], recorded: Sequence[Recorded]) -> list[RowAnswer]:
        if not sales:
            return []
        with self._database.read() as connection:
            decided = replay.decisions_of(connection, city, [one.basket for one in recorded])
            policies = self._policies.lookup(connection, city)
        # The first decision is the answer, whatever was decided since.
        first = {(s.decision.basket, s.decision.line_no): s for s in decided if s.decision.decision_no == _FIRST}
        return [
            answer
            for sale, one in zip(sales, recorded, strict=True)
            for answer in _answers_of(sale, one, first, policies)
        ]


def slices(sales: Sequence[Sale], reads_max: int = BATCH_READS_MAX) -> Iterator[list[Sale]]:
    """As many at once as one transaction takes."""
    some: list[Sale] = []
    reads = 0
    for sale in sales:
        if some and reads + len(sale.lines) > reads_max:
            yield some
            some, reads = [], 0
        some.append(sale)
        reads += len(sale.lines)
    if some:
        yield some


def _known(connection: Connection, uploaded: Uploaded, sales: Sequence[Sale]) -> _Known:
    city, retailer = uploaded.city, uploaded.retailer
    districts = retailers.districts_of_shops(connection, city, retailer, {sale.store for sale in sales})
    late = [basket_of(city, retailer, sale.event) for sale in sales if _is_late(uploaded, sale)]
    recorded = frozenset(store.known(connection, city, late)) if late else frozenset()
    slips = {slip for sale in sales if (slip := _slip(sale)) is not None}
    if not slips:
        return _Known(districts, recorded, frozenset(), {})
    device = device_of(retailer)
    sold = slip_search.sold_otherwise(connection, city, device, slips)
    goods: dict[tuple[Slip, _Goods], str] = {}
    for (basket, slip), lines in slip_search.sold_by(connection, city, device, slips).items():
        goods.setdefault((slip, _goods(lines)), basket)
    return _Known(districts, recorded, sold, goods)


def _read(uploaded: Uploaded, sale: Sale, known: _Known) -> Arrival | list[RowAnswer]:
    """The sale as it arrives at the engine, or the answer of each of its lines."""
    district = known.districts.get(sale.store)
    if district is None:
        return _refused(sale, "store-not-own")
    if sale.sold_at_ms > milliseconds(uploaded.at) + FUTURE_MAX_MS:
        return _refused(sale, "sold-in-future")
    basket = basket_of(uploaded.city, uploaded.retailer, sale.event)
    if _is_late(uploaded, sale) and basket not in known.recorded:
        return _refused(sale, "sold-too-long-ago", days=timedelta(milliseconds=PAST_MAX_MS).days)
    slip = _slip(sale)
    if slip in known.slips:
        return _refused(sale, "recorded-by-till")
    # A long slip comes as several sales, but never with the same goods: that is one sale under two numbers.
    if slip is not None and known.goods.setdefault((slip, _goods(_kept(sale))), basket) != basket:
        return _refused(sale, "recorded-by-another-number")
    origin = Origin(
        uploaded.city,
        device_of(uploaded.retailer),
        _stream(uploaded.city, uploaded.retailer, sale.event),
        sale.store,
        district,
        Channel.TILL.value,
        _CLOCK,
        milliseconds(uploaded.at),
    )
    try:
        return arrival_of(read_line(sale_line(sale), origin))
    except MalformedBasket as error:
        return _refused(sale, "sale-malformed", field=error.facts["field"])


def sale_line(sale: Sale) -> bytes:
    """What a till would have signed of it, and its shop, so that the same number in another shop is no repeat."""
    doc = {
        "seq": _SEQ,
        "boot": "file",
        "opened_mono": 0,
        "closed_mono": 0,
        "ts": sale.sold_at_ms,
        "closed_by": "finish",
        "store": sale.store,
        "event": sale.event,
        "member": sale.member,
        "cashier": sale.cashier,
        "slip_no": sale.slip_no,
        "reads": _reads(sale),
    }
    return orjson.dumps(doc)


def _reads(sale: Sale) -> list[dict[str, Any]]:
    return [
        {"code": line.code, "qty": line.quantity, "price_fen": line.price_fen, "sn": line.serial} for line in sale.lines
    ]


def _kept(sale: Sale) -> Iterator[SoldGoods]:
    """The lines as they are known once they are recorded: without what names a person."""
    for line in sale.lines:
        code = None if is_hidden(parse(line.code.encode())) else line.code
        serial = None if line.serial is None or is_private(line.serial) else line.serial
        yield SoldGoods(code, line.quantity, line.price_fen, serial)


def _goods(lines: Iterable[SoldGoods]) -> _Goods:
    found = ((o.code or "", o.quantity, -1 if o.price_fen is None else o.price_fen, o.serial or "") for o in lines)
    return tuple(sorted(found))


def _answers_of(
    sale: Sale, recorded: Recorded, first: Mapping[tuple[str, int], DecidedScan], policies: PolicySet
) -> list[RowAnswer]:
    if recorded.state == BasketState.QUARANTINED:
        return _refused(sale, "sale-conflict" if recorded.code == BasketConflict.code else "sale-set-aside")
    state = RowState.REPEATED if recorded.state == BasketState.DUPLICATE else RowState.ACCEPTED
    found = []
    for place, line in enumerate(sale.lines):
        scan = first[recorded.basket, place]
        said, earned = sentence(scan, policies), _earned(scan)
        place_of = (line.file_line, sale.event, line.line_no, state, scan.decision.reason)
        amounts = (earned.get("points", 0), earned.get("fen", 0))
        found.append(RowAnswer(*place_of, said.zh, said.en, *amounts, recorded.basket, place))
    return found


def _earned(scan: DecidedScan) -> dict[str, int]:
    total: dict[str, int] = {}
    for award in scan.awards:
        total[award.unit] = total.get(award.unit, 0) + award.amount
    return total


def _refused(sale: Sale, code: str, **facts: object) -> list[RowAnswer]:
    return [refusal(line.file_line, sale.event, line.line_no, code, **facts) for line in sale.lines]


def _is_late(uploaded: Uploaded, sale: Sale) -> bool:
    return sale.sold_at_ms < milliseconds(uploaded.at) - PAST_MAX_MS


def _slip(sale: Sale) -> Slip | None:
    if sale.slip_no is None:
        return None
    return Slip(sale.store, canonical(sale.slip_no), civil_date(sale.sold_at_ms))


def _stream(city: str, retailer: str, event: str) -> str:
    return hashlib.sha256(f"sales file\0{city}\0{retailer}\0{event}".encode()).hexdigest()[:32]
