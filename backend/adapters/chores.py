"""Recurring work, for every city in turn (`schedule` says when). Each may run twice, at once and be killed at any moment."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial, reduce
from types import MappingProxyType
from typing import NamedTuple, Protocol, Self, TypeVar

import structlog

from backend.certificates.cache import RegistryCache
from backend.devices import queries as device_queries
from backend.kernel.errors import DomainError
from backend.kernel.findings import Finding
from backend.officials import queries as official_queries
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database, is_lost
from backend.usecases.clean_up import Cleaned, clean_city, clean_officials, clean_phone_codes, clean_sessions
from backend.usecases.close_account import settle_closed
from backend.usecases.close_settlement import close_last_month
from backend.usecases.count_certificates import count_certificates
from backend.usecases.count_scans import count_scans, keep_outlooks
from backend.usecases.deliver_exports import Delivered, Platform, deliver_exports
from backend.usecases.draw_samples import draw_samples
from backend.usecases.end_leases import Ended, settle_leases
from backend.usecases.export_tables import Ran, run_exports
from backend.usecases.find_gaps import find_gaps
from backend.usecases.find_missing_points import FindMissingPoints, Looked
from backend.usecases.grant_leases import Lent, grant_leases
from backend.usecases.learn_prices import learn_prices
from backend.usecases.learn_sellers import SELLERS_TERMS, SellersTerms, learn_sellers
from backend.usecases.make_snapshot import Made, MakeSnapshot
from backend.usecases.measure_targets import measure_targets
from backend.usecases.move_rollout import MovedOn, move_rollout
from backend.usecases.reclaim_budgets import Reclaimed, reclaim_budgets
from backend.usecases.reconcile_shops import keep_reconciliation
from backend.usecases.record_sales import RecordSales
from backend.usecases.registry_uploads import work_uploads
from backend.usecases.release_quote import expire_quotes
from backend.usecases.release_redemption import expire_redemptions, expire_vouchers
from backend.usecases.replay_decisions import Wanted, replay_decisions
from backend.usecases.report_liability import freeze_liability
from backend.usecases.resolve_products import Resolved, ResolveProducts
from backend.usecases.sales_files import sales_files_waiting, work_sales_files
from backend.usecases.seal_ledger import LogKey, SealedNow, cities_with_acts, seal_ledger
from backend.usecases.send_notices import SendNotices, Sent
from backend.usecases.settle_due import Settled, settle_due
from backend.usecases.verify_ledger import Verified, all_cities, verify_ledger
from backend.usecases.void_baskets import VoidBaskets, Voided

Facts = dict[str, object]
Result = TypeVar("Result")
Stopping = Callable[[], bool]
Work = Callable[[datetime, Stopping], Facts]

REPLAYED = timedelta(minutes=10)
"""How far back the minute's verification takes decisions again: further than a minute that was missed or late."""
LINES_MAX = 5_000
"""How many of a city's newest baskets the minute's verification holds against the bytes that were signed."""

SAMPLE = 2_000
"""Decisions of a city that the hourly sample takes again."""

log = structlog.get_logger()


ANY_PROVINCE = ""


class LedgerBroken(DomainError):
    code = "ledger-broken"
    text_zh = "账本核对发现 {broken} 处不符，须立即查明。"
    text_en = "The verification of the ledger found {broken} breaks; a person has to look at once."


class SalesKeyMissing(DomainError):
    code = "sales-key-missing"
    text_zh = "有 {files} 个销售文件等待入账，但任务进程没有 GREENPOINTS_IDENTITY_HASH_KEY_FILE。"
    text_en = "{files} files of sales wait, and the worker has no GREENPOINTS_IDENTITY_HASH_KEY_FILE."


class Outside(NamedTuple):
    """What reaches others, or comes of them. `notices` None: nobody is told before points end; `platforms`: of credit, by city;
    `sellers`: which shops anyone may be told of; `sales` None: the worker lacks the key that files of sales are recorded with.
    """

    notices: SendNotices | None = None
    platforms: Mapping[str, Platform] = MappingProxyType({})
    sellers: SellersTerms = SELLERS_TERMS
    sales: RecordSales | None = None


NOBODY = Outside()


class Chores:
    """The work of all cities. The queue's own repairs are the queue's (`jobs.Jobs`)."""

    def __init__(
        self,
        database: Database,
        resolver: ResolveProducts,
        voids: VoidBaskets,
        policies: PolicyCache,
        ledger_key: LogKey | None = None,
        outside: Outside = NOBODY,
    ) -> None:
        self._outside = outside
        self._database = database
        self._policies = policies
        self._missing = FindMissingPoints(database, RegistryCache(), policies)
        self._resolver = resolver
        self._voids = voids
        self._ledger_key = ledger_key

    def works(self) -> dict[str, Work]:
        return {
            "resolve_products": self.resolve_products,
            "settle_due": self.settle_due,
            "void_baskets": self.void_baskets,
            "expire_quotes": self.expire_quotes,
            "expire_redemptions": self.expire_redemptions,
            "reclaim_budgets": self.reclaim_budgets,
            "make_snapshots": self.make_snapshots,
            "learn_sellers": self.learn_sellers,
            "find_missing_points": self.find_missing_points,
            "send_notices": self.send_notices,
            "deliver_exports": self.deliver_exports,
            "settle_leases": self.settle_leases,
            "grant_leases": self.grant_leases,
            "learn_prices": self.learn_prices,
            "count_scans": self.count_scans,
            "count_certificates": lambda _now, stopping: {"certificates": count_certificates(self._database, stopping)},
            "find_gaps": self.find_gaps,
            "measure_targets": self.measure_targets,
            "move_rollouts": self.move_rollouts,
            "verify_ledger": lambda now, stopping: self.verify(stopping, since=now - REPLAYED, lines_max=LINES_MAX),
            "replay_sample": self.replay_sample,
            "draw_samples": self.draw_samples,
            "work_uploads": self.work_uploads,
            "record_sales": self.record_sales,
            "seal_ledger": self.seal_ledger,
            "seal_late": lambda now, stopping: self.seal_ledger(now, stopping, since_ever=True),
            "verify_all": lambda _now, stopping: self.verify(stopping, since=None),
            "write_exports": self.write_exports,
            "freeze_liability": self.freeze_liability,
            "close_settlements": self.close_settlements,
            "settle_closed": self.settle_closed,
            "clean_up": self.clean_up,
        }

    def resolve_products(self, now: datetime, stopping: Stopping) -> Facts:
        return _sum(Resolved(), self._each(stopping, lambda city: self._resolver.resolve(city, now, stopping)))

    def settle_due(self, now: datetime, stopping: Stopping) -> Facts:
        return _sum(Settled(), self._each(stopping, lambda city: settle_due(self._database, city, now, stopping)))

    def send_notices(self, now: datetime, stopping: Stopping) -> Facts:
        notices = self._outside.notices
        if notices is None:
            return {}
        return _sum(Sent(), self._each(stopping, lambda city: notices.send(city, now, stopping)))

    def deliver_exports(self, now: datetime, stopping: Stopping) -> Facts:
        platforms = self._outside.platforms

        def deliver(city: str) -> Delivered:
            return deliver_exports(self._database, platforms[city], city, now, stopping)

        return _sum(Delivered(), self._each(stopping, deliver, sorted(platforms)))

    def learn_sellers(self, now: datetime, stopping: Stopping) -> Facts:
        terms = self._outside.sellers
        return {"shops": sum(self._each(stopping, lambda city: learn_sellers(self._database, city, terms, now)))}

    def find_missing_points(self, now: datetime, stopping: Stopping) -> Facts:
        return _sum(Looked(), self._each(stopping, lambda city: self._missing.look(city, now, stopping)))

    def void_baskets(self, now: datetime, stopping: Stopping) -> Facts:
        return _sum(Voided(), self._each(stopping, lambda city: self._voids.work(city, now, stopping)))

    def expire_quotes(self, now: datetime, stopping: Stopping) -> Facts:
        return {"expired": sum(self._each(stopping, lambda city: expire_quotes(self._database, city, now, stopping)))}

    def expire_redemptions(self, now: datetime, stopping: Stopping) -> Facts:
        def expire(city: str) -> tuple[int, int]:
            ended = expire_redemptions(self._database, city, now, stopping)
            return ended, expire_vouchers(self._database, city, now, stopping)

        ended = self._each(stopping, expire)
        return {"redemptions": sum(one for one, _ in ended), "vouchers": sum(one for _, one in ended)}

    def reclaim_budgets(self, now: datetime, stopping: Stopping) -> Facts:
        return _sum(Reclaimed(), self._each(stopping, lambda c: reclaim_budgets(self._database, c, now, stopping)))

    def settle_leases(self, now: datetime, stopping: Stopping) -> Facts:
        def settle(city: str) -> Ended:
            return settle_leases(self._database, self._policies, city, now, stopping)

        return _sum(Ended(), self._each(stopping, settle))

    def grant_leases(self, now: datetime, stopping: Stopping) -> Facts:
        def grant(city: str) -> Lent:
            return grant_leases(self._database, self._policies, city, now, stopping)

        return _sum(Lent(), self._each(stopping, grant))

    def make_snapshots(self, now: datetime, stopping: Stopping) -> Facts:
        """Raises SnapshotTooLarge."""
        maker = MakeSnapshot(self._database, self._policies)
        return _sum(Made(), self._each(stopping, lambda city: maker.make(city, now)))

    def learn_prices(self, now: datetime, stopping: Stopping) -> Facts:
        return {"learned": sum(self._each(stopping, lambda city: learn_prices(self._database, city, now)))}

    def count_scans(self, now: datetime, stopping: Stopping) -> Facts:
        def count(city: str) -> tuple[int, int, int]:
            days = count_scans(self._database, city, now, stopping)
            outlooks = keep_outlooks(self._database, city, now)
            return days, outlooks, keep_reconciliation(self._database, city, now)

        counted = self._each(stopping, count)
        return {name: sum(one[place] for one in counted) for place, name in enumerate(("days", "outlooks", "shops"))}

    def find_gaps(self, now: datetime, stopping: Stopping) -> Facts:
        return {"gaps": sum(self._each(stopping, lambda city: find_gaps(self._database, city, now, stopping)))}

    def measure_targets(self, now: datetime, stopping: Stopping) -> Facts:
        """Also those of provinces, and of cities where nothing was sold yet."""
        with self._database.read() as connection:
            selling, staffed = all_cities(connection), official_queries.cities(connection, ANY_PROVINCE)

        def measure(city: str) -> int:
            return measure_targets(self._database, city, now, selling, stopping)

        return {"targets": sum(self._each(stopping, measure, sorted({*selling, *staffed})))}

    def move_rollouts(self, now: datetime, stopping: Stopping) -> Facts:
        with self._database.read() as connection:
            cities = device_queries.cities(connection)

        def move(city: str) -> MovedOn:
            return self._database.write(partial(move_rollout, city=city, now=now))

        return _sum(MovedOn(), self._each(stopping, move, cities))

    def verify(self, stopping: Stopping, *, since: datetime | None, lines_max: int | None = None) -> Facts:
        """Raises LedgerBroken, after every city, when any invariant is."""

        def check(city: str) -> list[Verified]:
            verified = verify_ledger(self._database, city, replay_since=since, lines_max=lines_max)
            for one in verified:
                _report(one)
            return verified

        verified = [one for each in self._each(stopping, check) for one in each]
        findings = [finding for one in verified for finding in one.findings]
        broken = sum(finding.broken for finding in findings)
        if broken:
            raise LedgerBroken(broken=broken)
        return {"cities": len(verified), "checked": sum(finding.checked for finding in findings)}

    def seal_ledger(self, now: datetime, stopping: Stopping, *, since_ever: bool = False) -> Facts:
        with self._database.read() as connection:
            cities = sorted({*all_cities(connection), *cities_with_acts(connection)})

        def seal(city: str) -> SealedNow:
            return seal_ledger(self._database, city, now, self._ledger_key, stopping, since_ever=since_ever)

        return _sum(SealedNow(), self._each(stopping, seal, cities))

    def replay_sample(self, now: datetime, stopping: Stopping) -> Facts:
        """Other decisions every hour, of any age. Raises LedgerBroken, after every city, when one comes out otherwise."""
        wanted = Wanted(sample=SAMPLE, turn=int(now.timestamp()) // 3600)

        def replay(city: str) -> Finding:
            finding = replay_decisions(self._database, city, wanted, lines_max=LINES_MAX)
            _report(Verified(city, (finding,)))
            return finding

        findings = self._each(stopping, replay)
        broken = sum(finding.broken for finding in findings)
        if broken:
            raise LedgerBroken(broken=broken)
        return {"cities": len(findings), "replayed": sum(finding.checked for finding in findings)}

    def work_uploads(self, now: datetime, stopping: Stopping) -> Facts:
        with self._database.read() as connection:
            cities = official_queries.cities(connection, ANY_PROVINCE)
        return {"files": sum(self._each(stopping, lambda c: work_uploads(self._database, c, now, stopping), cities))}

    def record_sales(self, now: datetime, stopping: Stopping) -> Facts:
        """Raises SalesKeyMissing where files wait that this worker cannot record."""
        sales = self._outside.sales

        def record(city: str) -> int:
            if sales is None:
                return sales_files_waiting(self._database, city, now)
            return work_sales_files(self._database, sales, city, now, stopping)

        files = sum(self._each(stopping, record))
        if sales is None and files:
            raise SalesKeyMissing(files=files)
        return {"files": files}

    def draw_samples(self, now: datetime, stopping: Stopping) -> Facts:
        return {"drawn": sum(self._each(stopping, lambda city: draw_samples(self._database, city, now)))}

    def write_exports(self, now: datetime, stopping: Stopping) -> Facts:
        began = time.monotonic()

        def write(city: str) -> Ran:
            return run_exports(
                self._database, city, lambda: now + timedelta(seconds=time.monotonic() - began), stopping
            )

        return _sum(Ran(), self._each(stopping, write))

    def freeze_liability(self, now: datetime, stopping: Stopping) -> Facts:
        return {"rows": sum(self._each(stopping, lambda city: freeze_liability(self._database, city, now)))}

    def close_settlements(self, now: datetime, stopping: Stopping) -> Facts:
        closed = self._each(stopping, lambda city: close_last_month(self._database, city, now))
        return {"closed": sum(one.new for one in closed), "lines": sum(one.lines for one in closed if one.new)}

    def settle_closed(self, now: datetime, stopping: Stopping) -> Facts:
        return {"accounts": settle_closed(self._database, now, stopping)}

    def clean_up(self, now: datetime, stopping: Stopping) -> Facts:
        sessions = clean_sessions(self._database, now, stopping)
        phone_codes = clean_phone_codes(self._database, now, stopping)
        of_all = {"sessions": sessions, "phone_codes": phone_codes}
        of_all["officials"] = clean_officials(self._database, now, stopping)
        cleaned = self._each(stopping, lambda city: clean_city(self._database, city, now, stopping))
        totals = [sum(column) for column in zip(*cleaned, strict=True)]
        return dict(zip(Cleaned._fields, totals, strict=False)) | of_all

    def _each(
        self, stopping: Stopping, work: Callable[[str], Result], cities: Sequence[str] | None = None
    ) -> list[Result]:
        """What `work` did in each city, of all that have scans where none are named, until `stopping`.

        Raises what failed first, after every city: one that fails must keep none of the others from its work. A database that
        is away is away for all.
        """
        if cities is None:
            with self._database.read() as connection:
                cities = all_cities(connection)
        done, failures = list[Result](), list[Exception]()
        for city in cities:
            if stopping():
                break
            try:
                done.append(work(city))
            except Exception as error:
                if is_lost(error):
                    raise
                log.exception("city_left_out", city=city)
                failures.append(error)
        if failures:
            raise failures[0]
        return done


class _Addable(Protocol):
    def plus(self, other: Self) -> Self: ...

    def _asdict(self) -> Facts: ...


Total = TypeVar("Total", bound=_Addable)


def _sum(nothing: Total, parts: Iterable[Total]) -> Facts:
    return reduce(lambda done, part: done.plus(part), parts, nothing)._asdict()


def _report(verified: Verified) -> None:
    for finding in verified.findings:
        if finding.broken:
            places = [f"{one.place}: {one.found}" for one in finding.breaks]
            log.error(
                "ledger_broken", city=verified.city, invariant=finding.invariant, broken=finding.broken, places=places
            )
