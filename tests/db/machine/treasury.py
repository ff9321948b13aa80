"""What finance does to the town: months closed, disputed, ruled on and paid, claims held, value given and taken by hand."""

from collections.abc import Sequence
from datetime import timedelta

from backend.adjustments import queries as adjustments
from backend.adjustments.model import Cause, Proposed, Wanted
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.retailers import store as shops
from backend.retailers.store import Store
from backend.settlements import queries
from backend.settlements.clock import month_before
from backend.settlements.model import Booked, Claim, LineKey, Ruled, Ruling, Said
from backend.settlements.queries import Statement
from backend.settlements.reconciled import reconciled
from backend.storage.transaction import Database
from backend.usecases.adjust_by_hand import approve_adjustment, propose_adjustment, refuse_adjustment
from backend.usecases.close_settlement import close_settlement
from backend.usecases.dispute_statement import approve_correction, confirm_statement, dispute_line, rule_on_dispute
from backend.usecases.hold_claims import hold_claims, release_claims
from backend.usecases.pay_settlements import book_payment, prepare_payment, refuse_payment, release_payment
from backend.usecases.prepay_subsidy import Prepaid, prepay_subsidy
from backend.usecases.reconcile_shops import keep_reconciliation
from backend.usecases.report_liability import freeze_liability
from tests.db.machine.town import SHOPS, Step, Town
from tests.worlds.city import NOON
from tests.worlds.later import assert_verified

OFFICIALS = ("赵会计", "钱处长", "孙科长")
RETAILERS = ("示例超市", "示例超市", "街角示例")


class Treasury(Town):
    """The town and its finance. Each act is somebody's, drawn by chance: the same person twice is refused."""

    def __init__(self, database: Database, code: str, seed: int) -> None:
        super().__init__(database, code, seed)
        for store, retailer in zip(SHOPS[1:], RETAILERS[1:], strict=True):
            shop = Store(code, store, retailer, f"示例店 {store}", f"{code[:4]}02")
            database.write(lambda c, s=shop: shops.insert_store(c, s, NOON))  # type: ignore[misc]

    def acts(self) -> list[Step]:
        weights: dict[Step, int] = {self.close: 3, self.dispute: 3, self.judge: 3, self.approve: 2, self.confirm: 1}
        weights |= {self.prepare: 2, self.release: 3, self.refuse: 1, self.book: 3, self.hold: 2, self.release_held: 1}
        weights |= {self.adjust: 3, self.judge_adjustment: 3, self.prepay: 4, self.freeze: 1}
        return [*super().acts(), *(act for act, weight in weights.items() for _ in range(weight))]

    def assert_holds(self) -> None:
        assert_verified(self.database, self.code)
        keep_reconciliation(self.database, self.code, self.now)
        with self.database.read() as connection:
            found = reconciled(connection, self.code)
        assert [one for one in found if one.difference] == []

    def by(self) -> str:
        return self.chance.choice(OFFICIALS)

    # Statements

    def close(self) -> None:
        close_settlement(self.database, self.code, month_before(self.now), self.by(), self.now)

    def statement(self) -> Statement | None:
        with self.database.read() as connection:
            months = queries.months(connection, self.code)
            if not months:
                return None
            found = queries.statements_of_month(connection, self.code, self.chance.choice(months[:2]).month)
        return self.chance.choice(found) if found else None

    def line(self) -> tuple[LineKey, queries.Line] | None:
        head = self.statement()
        if head is None:
            return None
        with self.database.read() as connection:
            found = queries.lines(connection, self.code, head.month, head.retailer)
        one = self.chance.choice(found)
        return LineKey(head.month, head.retailer, one.receipt.line_no), one

    def dispute(self) -> None:
        found = self.line()
        if found:
            dispute_line(self.database, self.code, found[0], Said("店长", "不符"), self.now)

    def open_dispute(self) -> queries.OpenDispute | None:
        with self.database.read() as connection:
            found = queries.open_disputes(connection, self.code)
        return self.chance.choice(found) if found else None

    def judge(self) -> None:
        one = self.open_dispute()
        if one:
            difference = self.chance.choice([0, 0, 7, -7, 300, -2_000])
            second = self.chance.choice([None, self.by()]) if difference else None
            ruled = Ruled(Ruling.CORRECT if difference else Ruling.STANDS, difference, "核对", self.by(), second)
            rule_on_dispute(self.database, self.code, LineKey(one.month, one.retailer, one.line_no), ruled, self.now)

    def approve(self) -> None:
        one = self.open_dispute()
        if one:
            key, seen = LineKey(one.month, one.retailer, one.line_no), one.correction or 0
            approve_correction(self.database, self.code, key, seen, self.by(), self.now)

    def confirm(self) -> None:
        head = self.statement()
        if head:
            confirm_statement(self.database, self.code, head.month, head.retailer, "店长", self.now)

    # Payments

    def payment(self) -> str | None:
        with self.database.read() as connection:
            found = queries.payments(connection, self.code, limit=3)
        return self.chance.choice(found).payment if found else None

    def prepare(self) -> None:
        prepare_payment(self.database, self.code, new_id(), self.by(), self.now)

    def release(self) -> None:
        payment = self.payment()
        if payment:
            release_payment(self.database, self.code, payment, self.by(), self.now)

    def refuse(self) -> None:
        payment = self.payment()
        if payment:
            refuse_payment(self.database, self.code, payment, self.by(), "有误", self.now)

    def book(self) -> None:
        payment = self.payment()
        if payment:
            told = Booked(civil_date(milliseconds(self.now)).isoformat(), f"ICBC-{payment}", self.by())
            book_payment(self.database, self.code, payment, told, self.now)

    def hold(self) -> None:
        claims = self._claims()
        if claims:
            hold_claims(self.database, self.code, claims, Said(self.by(), "证书撤销"), self.now)

    def release_held(self) -> None:
        claims = self._claims()
        if claims:
            release_claims(self.database, self.code, claims, Said(self.by(), "核实有效"), self.now)

    def _claims(self) -> Sequence[Claim]:
        """Of a sale on a statement, or of any that was made."""
        found = self.line()
        if found and found[1].receipt.basket and self.chance.random() < 0.7:
            return [Claim(found[1].receipt.basket, found[1].receipt.sale_line or 0)]
        if not self.sold:
            return []
        _, _, basket, _, count = self.chance.choice(self.sold)
        return [Claim(basket, line) for line in self._some(count)]

    # By hand

    def adjust(self) -> None:
        amount = self.chance.choice([5, 40, -5, -40, 2_500, -2_500])
        if self.chance.random() < 0.5:
            wanted = Wanted(
                self.person(), None, self.chance.choice(["points", "fen"]), amount, Cause.GOODWILL, "T", "补偿"
            )
        else:
            shop, unit = self.chance.choice(SHOPS), self.chance.choice(["fee", "fen"])
            wanted = Wanted(None, shop, unit, amount, Cause.MISTAKE, "T", "更正")
        propose_adjustment(self.database, self.code, new_id(), wanted, Proposed(self.by(), 100), self.now)

    def judge_adjustment(self) -> None:
        with self.database.read() as connection:
            found = adjustments.listed(connection, self.code, open_only=True)
        if found:
            act = approve_adjustment if self.chance.random() < 0.8 else refuse_adjustment
            act(self.database, self.code, self.chance.choice(found).adjustment, self.by(), self.now)

    def prepay(self) -> None:
        if self.sold:
            _, _, basket, store, count = self.chance.choice(self.sold)
            lines = tuple((basket, line) for line in self._some(count))
            prepay_subsidy(self.database, Prepaid(self.code, store, self.number(), "shop", lines), self.now)

    def freeze(self) -> None:
        freeze_liability(self.database, self.code, self.now)
        self.now += timedelta(seconds=1)
