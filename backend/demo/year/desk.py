"""Officials at work on Mondays: held scans are ruled on after some days, appeals decided by one who did not rule before."""

import random
from datetime import date, datetime

from backend.appeals import queries as appeals
from backend.appeals.model import AppealOvertaken, NothingToAppeal, NothingWouldChange, Verdict
from backend.demo.year.shops import SUZHOU, SWEPT_CASHIER
from backend.scans.holds.rulings import HeldScan, Said, held_scans
from backend.storage.transaction import Database
from backend.usecases.decide_appeal import DecideAppeal
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup
from backend.usecases.two_persons import SecondPersonNeeded

OFFICER, SECOND = "韩雪", "丁一鸣"
LEFT_BP = 2_500
"""The part of what is held that an officer leaves for another day."""


class Desk:
    def __init__(
        self, database: Database, registry: RegistryLookup, policies: PolicyLookup, rng: random.Random
    ) -> None:
        self._database, self._rng = database, rng
        self._rule = RuleOnHold(database, registry, policies)
        self._decide = DecideAppeal(database, registry, policies)

    def open(self, on: date, now: datetime) -> None:
        if on.weekday() != 0:
            return
        with self._database.read() as connection:
            held = held_scans(connection, SUZHOU, limit=1_000)
            filed = appeals.waiting(connection, SUZHOU, limit=100)
        for scan in held:
            if (now - scan.sold_at).days >= 3 and self._rng.randrange(10_000) >= LEFT_BP:  # noqa: PLR2004
                self._rule_on(scan, now)
        for appeal in filed:
            if (now - appeal.filed_at).days >= 4:  # noqa: PLR2004 - days
                self._answer(appeal.appeal, now)

    def _rule_on(self, scan: HeldScan, now: datetime) -> None:
        place = Place(scan.basket, scan.line_no)
        if scan.cashier == SWEPT_CASHIER:
            said = Said(OFFICER, "同一收银员一天内多次使用同一会员码，经调阅监控不是顾客本人购买")
            self._rule.refuse(SUZHOU, place, said, now)
        elif scan.reason == "signal" and self._rng.random() < 0.5:  # noqa: PLR2004 - half of them
            said = Said(OFFICER, "成交价明显高于近 90 天全市中位数，门店未能说明")
            self._rule.refuse(SUZHOU, place, said, now)
        else:
            self._release(place, Said(OFFICER, "已核对销售凭证，交易真实"), now)

    def _release(self, place: Place, said: Said, now: datetime) -> None:
        try:
            self._rule.release(SUZHOU, place, said, now)
        except SecondPersonNeeded:
            self._rule.release(SUZHOU, place, said, now, SECOND)

    def _answer(self, appeal: str, now: datetime) -> None:
        granted = Verdict(OFFICER, SECOND, "经核对小票和门店流水，予以支持")
        try:
            self._decide.uphold(SUZHOU, appeal, granted, now)
        except (NothingToAppeal, NothingWouldChange, AppealOvertaken):
            self._decide.reject(SUZHOU, appeal, Verdict(OFFICER, None, "经复核，原核定符合政策规定"), now)
