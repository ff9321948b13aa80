"""A shop that sells under the policies of `canonical/`."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.kernel.amounts import unit_price
from backend.kernel.periods import CHINA, civil_date, milliseconds
from backend.ledger import chart
from backend.policies.compiled import PolicySet, compile_policy
from backend.policies.document import load_policy
from backend.policies.evaluate import evaluate
from backend.policies.evidence import NO_EVIDENCE, Evidence, trade_in_days
from backend.policies.explain import explain
from backend.policies.limits import Limits
from backend.policies.model import Facts, Verdict

FIXTURES = Path(__file__).parent / "canonical"
LI, WANG = "01900000-0000-7000-8000-00000000000a", "01900000-0000-7000-8000-00000000000b"
PHONE, ADDRESS, OLD_UNIT = "aa" * 16, "bb" * 16, "cc" * 16


@dataclass
class Shop:
    """Sales decided one after the other under some of the fixtures; versions of one policy follow one another."""

    policies: PolicySet
    limits: Limits = field(init=False)
    baskets: int = 0

    def __post_init__(self) -> None:
        self.limits = Limits({}, {b.pool: b.budget.amount for p in self.policies for b in p.budgets})

    def sell(self, on: str, price_fen: int | None = None, person: str = LI, **facts: Any) -> Verdict:
        at_ms, sale = self._sale(on, price_fen, facts)
        return evaluate(sale, person, civil_date(at_ms), self.policies.in_force(at_ms).plan(sale), self.limits)

    def why_not(self, on: str, price_fen: int | None = None, **facts: Any) -> str:
        """What the resident is told to be missing."""
        at_ms, sale = self._sale(on, price_fen, facts)
        said = explain(sale, civil_date(at_ms), self.policies.in_force(at_ms).policies)
        return said.nearest.zh if said.nearest else ""

    def _sale(self, on: str, price_fen: int | None, facts: dict[str, Any]) -> tuple[int, Facts]:
        self.baskets += 1
        quantity = facts.get("quantity", 1)
        moment = datetime.fromisoformat(on)
        at_ms = milliseconds(moment.replace(tzinfo=moment.tzinfo or CHINA))
        usual: dict[str, Any] = {
            "scheme": "gtin",
            "level": "M",
            "proof": "P3",
            "category": "冰箱",
            "grade": None,
            "tier": None,
            "price_fen": price_fen,
            "quantity": 1,
            "store": "s1",
            "district": "320102",
            "body": "CNIS",
            "certificate_scheme": "energy_label",
            "receipt_fen": price_fen,
            "model": "gtin:06901234567892",
            "basket": f"01900000-0000-7000-8000-{self.baskets:012x}",
            "unit_price_fen": unit_price(price_fen, quantity),
            "device": "till-00000001",
            "hour": on[11:13] or "00",
            "sold_at_ms": at_ms,
            **NO_EVIDENCE._asdict(),
            **{name: facts.pop(name) for name in Evidence._fields if name in facts},
        }
        told = Evidence(*(usual[name] for name in Evidence._fields))
        usual["trade_in_days"] = trade_in_days(told, at_ms, facts.get("channel", "till"))
        del usual["trade_in_on"]
        return at_ms, Facts(**{**usual, **facts})


def shop(*names: str) -> Shop:
    texts = [(FIXTURES / f"{name}.json").read_text(encoding="utf-8") for name in names]
    loaded = [load_policy(text) for text in texts]
    return Shop(PolicySet([compile_policy(p, f"v{n}", p.until_ms, chart.budget) for n, p in enumerate(loaded)]))


def amounts(verdict: Verdict) -> list[tuple[str, int]]:
    """Every award with its unit, in order."""
    own = [(verdict.unit, verdict.amount)] if verdict.amount else []
    return [*own, *((award.unit, award.amount) for award in verdict.more if award.amount)]  # type: ignore[list-item]  # an award has a unit
