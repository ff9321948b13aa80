"""Messages of tills, as a bridge or a shop's system hands them on: each is recorded or quarantined, none is lost."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from backend.devices import queries as device_queries
from backend.devices.envelope import MESSAGE_BYTES_MAX, Envelope, Malformed, kind_of, open_envelope
from backend.devices.health.store import NewPresence
from backend.devices.model import KnownDevice
from backend.devices.receipts import Receipt, receipt_topic, seal_receipts
from backend.devices.store import Report
from backend.devices.verify import SENTENCES, Refusal, Verifier
from backend.kernel.errors import DomainError
from backend.kernel.ids import NO_CITY
from backend.kernel.periods import instant, milliseconds
from backend.residents.cards.number import card_of
from backend.residents.member_code import decode
from backend.scans.lines import Line, MalformedBasket, Origin, printable, read_line, sequence_of
from backend.scans.model import BasketConflict, BasketState, Channel, Recorded
from backend.scans.quarantine import Quarantined, set_aside
from backend.scans.sale_time import Clock
from backend.storage.transaction import Database
from backend.usecases.device_reports import read_report, save_reports
from backend.usecases.heed_devices import Shown, alarm_retired_keys, heed_devices
from backend.usecases.name_cards import ShownCard
from backend.usecases.record_baskets import Arrival, ShownMember

MESSAGES_MAX = 500
# A NamedTuple's own constructor is a Python function; every basket comes by here.
_new = tuple.__new__
TOPIC_SHOWN_MAX = 200
RECEIVED_AGO_MAX_MS = 86_400_000
"""A bridge may have held a message for as long as the backend was away; what it claims beyond a day is not believed."""


class BatchTooLarge(DomainError):
    code = "batch-too-large"
    text_zh = "一批最多 {messages_max} 条消息、{reads_max} 个读码，请拆分后重发。"
    text_en = "A batch holds at most {messages_max} messages and {reads_max} reads: split it and send it again."


class Delivery(NamedTuple):
    """One message as the caller received it, its bytes untouched."""

    topic: str
    payload: bytes
    received_at_ms: int


class Answer(NamedTuple):
    """What became of one message. `topic` and `payload` are the receipt to pass on; `code` says why it was refused."""

    state: str
    topic: str | None
    payload: bytes | None
    code: str | None
    detail: str | None


RECORDED = Answer("recorded", None, None, None, None)


class Recorder(Protocol):
    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]: ...


class Voids(Protocol):
    def apply(self, city: str, baskets: Collection[str], now: datetime) -> None: ...


class Landed(NamedTuple):
    """A basket on its way to the record: where its receipt stands among those of its message."""

    message: int
    place: int
    arrival: Arrival


@dataclass(slots=True)
class Sorted:
    """What a batch holds, by what happens to it. Cities are taken in sorted order, one database transaction each."""

    answers: list[Answer | None]
    opened: dict[int, Envelope] = field(default_factory=dict)
    receipts: dict[int, list[Receipt | None]] = field(default_factory=dict)
    baskets: defaultdict[str, list[Landed]] = field(default_factory=lambda: defaultdict(list))
    reports: defaultdict[str, list[Report | NewPresence]] = field(default_factory=lambda: defaultdict(list))
    quarantined: defaultdict[str, list[Quarantined]] = field(default_factory=lambda: defaultdict(list))
    retired_keys: defaultdict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    """Devices and keys, by city."""
    reads: int = 0


class AcceptMessages:
    """Safe to call from many threads at once; calling it again with the same messages changes nothing."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        sign: Callable[[bytes], bytes],
        *,
        voids: Voids,
        reads_max: int = 500,
    ) -> None:
        """`sign` is the backend's receipt key, whose public half the tills hold; `voids` takes back what tills void."""
        self._database = database
        self._recorder = recorder
        self._sign = sign
        self._voids = voids
        self._verifier = Verifier()
        self._reads_max = reads_max

    def accept(self, deliveries: Sequence[Delivery], now: datetime) -> list[Answer]:
        """One answer a message, in order, after everything is committed.

        Raises BatchTooLarge before anything is done. A single message is never too large: it is bounded itself, and the
        caller could not split it.
        """
        if len(deliveries) > MESSAGES_MAX:
            raise self._too_large()
        devices = self._devices(deliveries, now)
        found = self._sort(deliveries, devices, milliseconds(now))
        if found.reads > self._reads_max and len(deliveries) > 1:
            raise self._too_large()

        for city in sorted(found.quarantined.keys() | found.reports.keys()):
            self._save_aside(city, found, now)
        for city in sorted(found.baskets):
            landed = found.baskets[city]
            recorded = self._recorder.record(city, [basket.arrival for basket in landed], now)
            for basket, outcome in zip(landed, recorded, strict=True):
                found.receipts[basket.message][basket.place] = _receipt(outcome)
            shown = {_shown(found, devices, *each) for each in zip(landed, recorded, strict=True)}
            if any(each.new_key or each.conflict for each in shown):
                self._database.write(lambda c, city=city, shown=shown: heed_devices(c, city, shown, now))  # type: ignore[misc]
            voids = [one.arrival.basket.basket for one in landed if one.arrival.basket.void_of is not None]
            if voids:
                self._voids.apply(city, voids, now)

        return [self._answer(found, number, milliseconds(now)) for number in range(len(deliveries))]

    def _devices(self, deliveries: Sequence[Delivery], now: datetime) -> Mapping[str, KnownDevice]:
        named = {kind[0] for delivery in deliveries if (kind := kind_of(delivery.topic)) is not None}
        if not named:
            return {}
        with self._database.glance() as connection:
            return device_queries.directory(connection, named, now)

    def _sort(self, deliveries: Sequence[Delivery], devices: Mapping[str, KnownDevice], now_ms: int) -> Sorted:
        found = Sorted([None] * len(deliveries))
        for number, delivery in enumerate(deliveries):
            received = min(max(delivery.received_at_ms, now_ms - RECEIVED_AGO_MAX_MS), now_ms)
            timely = delivery._replace(received_at_ms=received)
            topic = kind_of(delivery.topic)
            device = devices.get(topic[0]) if topic else None
            refusal, detail = self._take(found, number, timely, topic[1] if topic else None, device)
            if refusal is not None:
                _refuse(found, number, timely, refusal, detail, device)
        return found

    def _take(
        self, found: Sorted, number: int, delivery: Delivery, kind: str | None, device: KnownDevice | None
    ) -> tuple[Refusal | None, str | None]:
        """Puts a message where it belongs; else the refusal, and in a word what is wrong with it."""
        if kind is None:
            return Refusal.UNKNOWN_TOPIC, None
        if device is None:
            return Refusal.UNKNOWN_DEVICE, None
        if not device.active:
            return Refusal.REVOKED_DEVICE, None
        if kind != "baskets":
            report = read_report(device.device, kind, delivery.payload, delivery.received_at_ms)
            if report is None:
                return Refusal.MALFORMED, "report"
            found.reports[device.city].append(report)
            found.answers[number] = RECORDED
            return None, None
        return self._take_baskets(found, number, delivery, device)

    def _take_baskets(
        self, found: Sorted, number: int, delivery: Delivery, device: KnownDevice
    ) -> tuple[Refusal | None, str | None]:
        if len(delivery.payload) > MESSAGE_BYTES_MAX:
            return Refusal.TOO_LARGE, None
        try:
            envelope = open_envelope(delivery.payload)
        except Malformed as error:
            return Refusal.MALFORMED, str(error.facts["what"])
        refusal = self._verifier.refusal_of(delivery.topic, envelope, device)
        if refusal is None:
            _take_lines(found, number, delivery, envelope, device)
        elif refusal is Refusal.UNKNOWN_KEY:
            received = instant(delivery.received_at_ms)
            if self._verifier.shows_retired_key(delivery.topic, envelope, device, received):
                found.retired_keys[device.city].add((device.device, envelope.header.key_id))
        return refusal, None

    def _save_aside(self, city: str, found: Sorted, now: datetime) -> None:
        entries, reports = found.quarantined.get(city, []), found.reports.get(city, [])
        retired = found.retired_keys.get(city)
        if retired:
            self._database.write(lambda connection: alarm_retired_keys(connection, city, retired, now))
        if entries:
            self._database.write(lambda connection: set_aside(connection, city, entries, now))
        if reports:
            self._database.write(lambda connection: save_reports(connection, city, reports))

    def _answer(self, found: Sorted, number: int, now_ms: int) -> Answer:
        answer = found.answers[number]
        if answer is not None:
            return answer
        header = found.opened[number].header
        topic = receipt_topic(header.device)
        receipts = [receipt for receipt in found.receipts[number] if receipt is not None]
        if not receipts:
            return _refused(Refusal.MALFORMED)
        payload = seal_receipts(
            topic,
            receipts,
            self._sign,
            stream=header.stream,
            srv_ts_ms=now_ms,
            echo_mono_ms=header.sent_mono_ms,
        )
        return Answer("recorded", topic, payload, None, None)

    def _too_large(self) -> BatchTooLarge:
        return BatchTooLarge(messages_max=MESSAGES_MAX, reads_max=self._reads_max)


def _take_lines(found: Sorted, number: int, delivery: Delivery, envelope: Envelope, device: KnownDevice) -> None:
    header = envelope.header
    clock = Clock(header.clock_source, header.clock_offset_ms, header.boot, header.sent_mono_ms)
    origin = Origin(
        device.city,
        device.device,
        header.stream,
        device.store,
        device.district,
        Channel.TILL.value,
        clock,
        delivery.received_at_ms,
    )
    receipts: list[Receipt | None] = [None] * len(envelope.lines)
    found.opened[number], found.receipts[number] = envelope, receipts
    landed = found.baskets[device.city]
    for place, raw in enumerate(envelope.lines):
        try:
            line = read_line(raw, origin)
        except MalformedBasket as error:
            receipts[place] = _set_line_aside(found, delivery, device, raw, error)
            continue
        found.reads += len(line.basket.reads)
        landed.append(_new(Landed, (number, place, arrival_of(line))))
    if not landed:
        del found.baskets[device.city]


def _shown(found: Sorted, devices: Mapping[str, KnownDevice], landed: Landed, outcome: Recorded) -> Shown:
    header = found.opened[landed.message].header
    retiring = devices[header.device].retiring
    new_key = bool(retiring) and header.key_id not in retiring
    return _new(Shown, (header.device, header.stream, new_key, outcome.code == BasketConflict.code))


def arrival_of(line: Line) -> Arrival:
    """The basket with the member code or card that it names; a code that is none is the basket's fault."""
    if line.member_code is None:
        return Arrival(line.basket)
    card = card_of(line.member_code)
    if card is not None:
        return Arrival(line.basket, card=ShownCard(card.hashed, card.city))
    code = decode(line.member_code)
    if code is None or not (code.city.isascii() and code.city.isdigit()):
        line.basket.member_fault = "malformed"
        return Arrival(line.basket)
    return Arrival(line.basket, ShownMember(code.handle, code.city, line.shown_at_ms))


def _set_line_aside(
    found: Sorted, delivery: Delivery, device: KnownDevice, raw: bytes, error: MalformedBasket
) -> Receipt | None:
    """Its receipt, when its number can be read: the till then moves it aside too. Else the till sends it again."""
    entry = _entry(delivery._replace(payload=raw), error.code, error.sentence_en, device)
    found.quarantined[device.city].append(entry)
    seq = sequence_of(raw)
    return None if seq is None else Receipt(seq, entry.sha256.hex(), BasketState.QUARANTINED.value, error.code)


def _refuse(
    found: Sorted,
    number: int,
    delivery: Delivery,
    refusal: Refusal,
    detail: str | None,
    device: KnownDevice | None,
) -> None:
    sentence = SENTENCES[refusal][1]
    entry = _entry(delivery, refusal.value, f"{sentence} ({detail})" if detail else sentence, device)
    found.quarantined[entry.city].append(entry)
    found.answers[number] = _refused(refusal)


def _refused(refusal: Refusal) -> Answer:
    return Answer("refused", None, None, refusal.value, " ".join(SENTENCES[refusal]))


def _entry(delivery: Delivery, reason: str, detail: str, device: KnownDevice | None) -> Quarantined:
    named = kind_of(delivery.topic)
    return Quarantined(
        reason,
        delivery.payload,
        hashlib.sha256(delivery.payload).digest(),
        instant(delivery.received_at_ms),
        printable(delivery.topic[:TOPIC_SHOWN_MAX]),
        named[0] if named else None,
        detail,
        device.city if device else NO_CITY,
    )


def _receipt(outcome: Recorded) -> Receipt:
    # The wire knows lower-case codes only; an SQLSTATE may hold capitals.
    code = None if outcome.code is None else outcome.code.lower()
    return _new(Receipt, (outcome.seq, outcome.sha256.hex(), outcome.state, code))
