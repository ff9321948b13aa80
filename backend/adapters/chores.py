"""Recurring work, for every city in turn (`schedule` says when). Each may run twice, at once and be killed at any moment."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import structlog

from backend.certificates.cache import RegistryCache
from backend.devices import queries as device_queries
from backend.kernel.errors import DomainError
from backend.officials import queries as official_queries
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
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
        done = Resolved()
        for city in self._cities(stopping):
            done = done.plus(self._resolver.resolve(city, now, stopping))
        return done._asdict()

    def settle_due(self, now: datetime, stopping: Stopping) -> Facts:
        done = Settled()
        for city in self._cities(stopping):
            done = done.plus(settle_due(self._database, city, now, stopping))
        return done._asdict()

    def send_notices(self, now: datetime, stopping: Stopping) -> Facts:
        done = Sent()
        if self._outside.notices is None:
            return {}
        for city in self._cities(stopping):
            done = done.plus(self._outside.notices.send(city, now, stopping))
        return done._asdict()

    def deliver_exports(self, now: datetime, stopping: Stopping) -> Facts:
        done = Delivered()
        for city, platform in sorted(self._outside.platforms.items()):
            if not stopping():
                done = done.plus(deliver_exports(self._database, platform, city, now, stopping))
        return done._asdict()

    def learn_sellers(self, now: datetime, stopping: Stopping) -> Facts:
        terms = self._outside.sellers
        return {"shops": sum(learn_sellers(self._database, city, terms, now) for city in self._cities(stopping))}

    def find_missing_points(self, now: datetime, stopping: Stopping) -> Facts:
        done = Looked()
        for city in self._cities(stopping):
            done = done.plus(self._missing.look(city, now, stopping))
        return done._asdict()

    def void_baskets(self, now: datetime, stopping: Stopping) -> Facts:
        done = Voided()
        for city in self._cities(stopping):
            done = done.plus(self._voids.work(city, now, stopping))
        return done._asdict()

    def expire_quotes(self, now: datetime, stopping: Stopping) -> Facts:
        return {"expired": sum(expire_quotes(self._database, city, now, stopping) for city in self._cities(stopping))}

    def expire_redemptions(self, now: datetime, stopping: Stopping) -> Facts:
        redemptions = vouchers = 0
        for city in self._cities(stopping):
            redemptions += expire_redemptions(self._database, city, now, stopping)
            vouchers += expire_vouchers(self._database, city, now, stopping)
        return {"redemptions": redemptions, "vouchers": vouchers}

    def reclaim_budgets(self, now: datetime, stopping: Stopping) -> Facts:
        done = Reclaimed()
        for city in self._cities(stopping):
            done = done.plus(reclaim_budgets(self._database, city, now, stopping))
        return done._asdict()

    def settle_leases(self, now: datetime, stopping: Stopping) -> Facts:
        done = Ended()
        for city in self._cities(stopping):
            done = done.plus(settle_leases(self._database, self._policies, city, now, stopping))
        return done._asdict()

    def grant_leases(self, now: datetime, stopping: Stopping) -> Facts:
        done = Lent()
        for city in self._cities(stopping):
            done = done.plus(grant_leases(self._database, self._policies, city, now, stopping))
        return done._asdict()

    def make_snapshots(self, now: datetime, stopping: Stopping) -> Facts:
        """Raises SnapshotTooLarge."""
        done, maker = Made(), MakeSnapshot(self._database, self._policies)
        for city in self._cities(stopping):
            done = done.plus(maker.make(city, now))
        return done._asdict()

    def learn_prices(self, now: datetime, stopping: Stopping) -> Facts:
        """Raises what failed first, after every city: one whose sales are too many must not keep the others from learning."""
        learned, failures = 0, list[Exception]()
        for city in self._cities(stopping):
            try:
                learned += learn_prices(self._database, city, now)
            except Exception as error:
                log.exception("prices_not_learned", city=city)
                failures.append(error)
        if failures:
            raise failures[0]
        return {"learned": learned}

    def count_scans(self, now: datetime, stopping: Stopping) -> Facts:
        days = outlooks = shops = 0
        for city in self._cities(stopping):
            days += count_scans(self._database, city, now, stopping)
            outlooks += keep_outlooks(self._database, city, now)
            shops += keep_reconciliation(self._database, city, now)
        return {"days": days, "outlooks": outlooks, "shops": shops}

    def find_gaps(self, now: datetime, stopping: Stopping) -> Facts:
        return {"gaps": sum(find_gaps(self._database, city, now, stopping) for city in self._cities(stopping))}

    def measure_targets(self, now: datetime, stopping: Stopping) -> Facts:
        """Also those of provinces, and of cities where nothing was sold yet."""
        with self._database.read() as connection:
            selling, staffed = all_cities(connection), official_queries.cities(connection, ANY_PROVINCE)
        wanted = sorted({*selling, *staffed})
        return {"targets": sum(measure_targets(self._database, city, now, selling, stopping) for city in wanted)}

    def move_rollouts(self, now: datetime, stopping: Stopping) -> Facts:
        done = MovedOn()
        with self._database.read() as connection:
            cities = device_queries.cities(connection)
        for city in cities:
            if not stopping():
                done = done.plus(self._database.write(partial(move_rollout, city=city, now=now)))
        return done._asdict()

    def verify(self, stopping: Stopping, *, since: datetime | None, lines_max: int | None = None) -> Facts:
        """Raises LedgerBroken, after every city, when any invariant is."""
        verified: list[Verified] = []
        for city in self._cities(stopping):
            verified += verify_ledger(self._database, city, replay_since=since, lines_max=lines_max)
            _report(verified[-1])
        findings = [finding for one in verified for finding in one.findings]
        broken = sum(finding.broken for finding in findings)
        if broken:
            raise LedgerBroken(broken=broken)
        return {"cities": len(verified), "checked": sum(finding.checked for finding in findings)}

    def seal_ledger(self, now: datetime, stopping: Stopping, *, since_ever: bool = False) -> Facts:
        done = SealedNow()
        with self._database.read() as connection:
            acting = cities_with_acts(connection)
        for city in sorted({*self._cities(stopping), *acting}):
            done = done.plus(seal_ledger(self._database, city, now, self._ledger_key, stopping, since_ever=since_ever))
        return done._asdict()

    def replay_sample(self, now: datetime, stopping: Stopping) -> Facts:
        """Other decisions every hour, of any age. Raises LedgerBroken, after every city, when one comes out otherwise."""
        wanted = Wanted(sample=SAMPLE, turn=int(now.timestamp()) // 3600)
        findings = [
            replay_decisions(self._database, city, wanted, lines_max=LINES_MAX) for city in self._cities(stopping)
        ]
        for finding in findings:
            _report(Verified(finding.city, (finding,)))
        broken = sum(finding.broken for finding in findings)
        if broken:
            raise LedgerBroken(broken=broken)
        return {"cities": len(findings), "replayed": sum(finding.checked for finding in findings)}

    def work_uploads(self, now: datetime, stopping: Stopping) -> Facts:
        with self._database.read() as connection:
            cities = official_queries.cities(connection, ANY_PROVINCE)
        return {"files": sum(work_uploads(self._database, city, now, stopping) for city in cities)}

    def record_sales(self, now: datetime, stopping: Stopping) -> Facts:
        """Raises SalesKeyMissing where files wait that this worker cannot record."""
        sales, files = self._outside.sales, 0
        for city in self._cities(stopping):
            if sales is None:
                files += sales_files_waiting(self._database, city, now)
            else:
                files += work_sales_files(self._database, sales, city, now, stopping)
        if sales is None and files:
            raise SalesKeyMissing(files=files)
        return {"files": files}

    def draw_samples(self, now: datetime, stopping: Stopping) -> Facts:
        return {"drawn": sum(draw_samples(self._database, city, now) for city in self._cities(stopping))}

    def write_exports(self, now: datetime, stopping: Stopping) -> Facts:
        done, began = Ran(), time.monotonic()
        for city in self._cities(stopping):
            done = done.plus(
                run_exports(self._database, city, lambda: now + timedelta(seconds=time.monotonic() - began), stopping)
            )
        return done._asdict()

    def freeze_liability(self, now: datetime, stopping: Stopping) -> Facts:
        return {"rows": sum(freeze_liability(self._database, city, now) for city in self._cities(stopping))}

    def close_settlements(self, now: datetime, stopping: Stopping) -> Facts:
        closed = [close_last_month(self._database, city, now) for city in self._cities(stopping)]
        return {"closed": sum(one.new for one in closed), "lines": sum(one.lines for one in closed if one.new)}

    def settle_closed(self, now: datetime, stopping: Stopping) -> Facts:
        return {"accounts": settle_closed(self._database, now, stopping)}

    def clean_up(self, now: datetime, stopping: Stopping) -> Facts:
        cleaned = [clean_city(self._database, city, now, stopping) for city in self._cities(stopping)]
        totals = [sum(column) for column in zip(*cleaned, strict=True)]
        sessions = clean_sessions(self._database, now, stopping)
        phone_codes = clean_phone_codes(self._database, now, stopping)
        of_all = {"sessions": sessions, "phone_codes": phone_codes}
        of_all["officials"] = clean_officials(self._database, now, stopping)
        return dict(zip(Cleaned._fields, totals, strict=False)) | of_all

    def _cities(self, stopping: Stopping) -> Iterator[str]:
        with self._database.read() as connection:
            cities = all_cities(connection)
        for city in cities:
            if stopping():
                return
            yield city


def _report(verified: Verified) -> None:
    for finding in verified.findings:
        if finding.broken:
            places = [f"{one.place}: {one.found}" for one in finding.breaks]
            log.error(
                "ledger_broken", city=verified.city, invariant=finding.invariant, broken=finding.broken, places=places
            )
