"""A resident's phone reads one label: a basket of one read, recorded and decided like any other."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from backend.kernel.errors import DomainError
from backend.kernel.periods import instant, milliseconds
from backend.policies.compiled import PolicySet
from backend.policies.model import Award
from backend.policies.words import Sentence
from backend.residents.standing import GuardianConsentNeeded, ResidentClosed
from backend.scans import queries
from backend.scans.explain import DecidedScan, needs_facts, sentence
from backend.scans.identity import basket_id, phone_of
from backend.scans.lines import phone_line
from backend.scans.model import Basket, BasketConflict, BasketState, Channel, ClockQuality, Read, Recorded
from backend.scans.queries import RecordedScan
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival, Settled
from backend.usecases.shared_transaction import TOGETHER_MAX, SharedTransaction
from backend.usecases.take_decisions import PolicyLookup


class ScanSetAside(DomainError):
    code = "scan-set-aside"
    text_zh = "这次扫码的内容无法记录，已留存待查。"
    text_en = "The content of this scan could not be recorded; it is kept aside for a check."


class LabelScan(NamedTuple):
    """What a phone read. `scan_id` is the client's own UUID; `code` the bytes, `text` None when they are not UTF-8.

    `home` is the city of the resident's own data, `city` the one in which the scan is to count.
    """

    resident: str
    home: str
    city: str
    scan_id: str
    code: bytes
    text: str | None
    symbology: str | None
    aim: str | None


class Scanned(NamedTuple):
    """The scan with its first decision, and what the resident reads. `new` is False when it was sent before."""

    recorded: RecordedScan
    sentence: Sentence
    new: bool


_REFUSALS: Mapping[str, type[DomainError]] = {
    refusal.code: refusal for refusal in (BasketConflict, ResidentClosed, GuardianConsentNeeded)
}


class Recorder(Protocol):
    def decide(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Settled]: ...


class HeldPolicies(PolicyLookup, Protocol):
    def held(self, city: str) -> PolicySet: ...


class ScanLabel:
    """Scans that arrive while another is being committed share the next database transaction."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        policies: HeldPolicies,
        *,
        together_max: int = TOGETHER_MAX,
        observe: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._policies = policies
        self._shared: SharedTransaction[Arrival, Scanned | DomainError] = SharedTransaction(
            self._record, together_max=together_max, observe=observe
        )

    def scan(self, scan: LabelScan, now: datetime) -> Scanned:
        """The decision, after COMMIT. The same scan again gives the same answer.

        Raises BasketConflict when its id stands for other content or for a scan in another city, ScanSetAside when the
        content cannot be recorded, DatabaseBusy.
        """
        arrival = Arrival(basket_of(scan, milliseconds(now)), home=scan.home)
        outcome = self._shared.run(scan.city, arrival, now)
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome

    def _record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Scanned | DomainError]:
        outcomes = self._recorder.decide(city, arrivals, now)
        known = [
            _fresh(city, outcome, arrival.basket, now) for outcome, arrival in zip(outcomes, arrivals, strict=True)
        ]
        # What was sent before, and what only the facts behind its certificate explain, is read back from the record.
        unsaid = [
            outcome.recorded.basket
            for outcome, fresh in zip(outcomes, known, strict=True)
            if outcome.recorded.state != BasketState.QUARANTINED and (fresh is None or needs_facts(fresh.scan))
        ]
        policies, stored = self._policies.held(city), {}
        if unsaid:
            with self._database.read() as connection:
                stored = queries.first_decisions(connection, city, unsaid)
                policies = self._policies.lookup(connection, city)
        return [
            _answered(outcome.recorded, stored.get(outcome.recorded.basket) or fresh, policies)
            for outcome, fresh in zip(outcomes, known, strict=True)
        ]


def _fresh(city: str, outcome: Settled, basket: Basket, now: datetime) -> RecordedScan | None:
    """The scan as it was just recorded; None when it was there before, or could not be recorded."""
    if not outcome.decisions:
        return None
    (decision,) = outcome.decisions
    more = tuple(Award(*award[4:]) for award in outcome.further)
    sold, decided = basket.sold_at_ms, milliseconds(now)
    scan = DecidedScan(
        decision, sold, decided, None, None, None, basket.channel, basket.receipt_fen, more, basket.device
    )
    return RecordedScan(
        scan, city, str(UUID(basket.stream)), basket.channel, instant(basket.sold_at_ms), now, now, None
    )


def _answered(recorded: Recorded, scan: RecordedScan | None, policies: PolicySet) -> Scanned | DomainError:
    if scan is None or recorded.state == BasketState.QUARANTINED:
        return _REFUSALS.get(recorded.code or "", ScanSetAside)()
    return Scanned(scan, sentence(scan.scan, policies), recorded.state == BasketState.RECORDED)


def basket_of(scan: LabelScan, now_ms: int) -> Basket:
    """The basket of one read. Its hash is over what the client sent, not over when: a repeat has the same one."""
    device, stream = phone_of(scan.resident), scan.scan_id.replace("-", "")
    read = Read(scan.code, scan.text, scan.symbology, scan.aim, 1, None, None)
    line = phone_line(read, scan.city)
    return Basket(
        basket=basket_id(device, stream, 0),
        device=device,
        stream=stream,
        seq=0,
        sha256=hashlib.sha256(line).digest(),
        line=line,
        channel=Channel.PHONE.value,
        store=None,
        district=None,
        resident=scan.resident,
        claim_sha256=None,
        closed_by=None,
        cashier=None,
        void_of=None,
        part_of=None,
        sold_at_ms=now_ms,
        clock_quality=ClockQuality.SERVER.value,
        clock_held=False,
        online=True,
        received_at_ms=now_ms,
        reads=[read],
    )
