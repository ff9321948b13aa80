"""What the cashier is told of a label before the server has decided: likely, or reserved out of a lease. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """LIKELY an amount, RESERVED one out of a lease, PRICED by the price, LATER with the basket, NOTHING no policy pays here;
    UNKNOWN nothing is said.
    """

    LIKELY = "likely"
    RESERVED = "reserved"
    PRICED = "priced"
    LATER = "later"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Saying:
    """`amounts` by unit (points; fen; gco2e grams): whole numbers that are likely. `product`: its short name. `payers`: which
    policies surely pay what of it, (policy, unit) -> amount.
    """

    state: State
    text_zh: str
    text_en: str
    product: str | None = None
    amounts: Mapping[str, int] | None = None
    payers: Mapping[tuple[str, str], int] | None = None

    def facts(self) -> dict[str, object]:
        return {
            "state": self.state.value,
            "product": self.product,
            "amounts": dict(self.amounts or {}),
            "text_zh": self.text_zh,
            "text_en": self.text_en,
        }


UNKNOWN = Saying(State.UNKNOWN, "已记录，稍后核定", "recorded; decided later")


def saying(product: str, offer: Mapping[str, int | str]) -> Saying:
    """`offer`: unit -> an amount, or what it depends on ("price", "later"), as a snapshot's kinds hold it."""
    amounts = {unit: amount for unit, amount in offer.items() if isinstance(amount, int)}
    if amounts:
        text_zh = "绿色商品，预计" + "，".join(_amount_zh(unit, amount) for unit, amount in amounts.items())
        text_en = "green goods; likely " + ", ".join(_amount_en(unit, amount) for unit, amount in amounts.items())
        return Saying(State.LIKELY, text_zh, text_en, product, amounts)
    if "price" in offer.values():
        return Saying(State.PRICED, "认证商品，按价格计分", "certified goods; it goes by the price", product)
    if offer:
        return Saying(State.LATER, "认证商品，结单后核定", "certified goods; decided with the basket", product)
    return Saying(State.NOTHING, "认证商品，目前不计分", "certified goods; no policy pays for it now", product)


def reserved(said: Saying, amounts: Mapping[str, int]) -> Saying:
    """Of what was said, `amounts` are reserved: paid whatever becomes of the budget, but within what one person may have."""
    text_zh = "绿色，已为您预留" + "，".join(_amount_zh(unit, amount) for unit, amount in amounts.items())
    text_en = "green; reserved for you: " + ", ".join(_amount_en(unit, amount) for unit, amount in amounts.items())
    within = "（以个人上限为准）", " (within your own limits)"
    return replace(
        said, state=State.RESERVED, text_zh=text_zh + within[0], text_en=text_en + within[1], amounts=amounts
    )


def settled_later(said: Saying) -> Saying:
    """Without the server, what is likely is no more than that."""
    if said.state is not State.LIKELY:
        return said
    return replace(said, text_zh=f"{said.text_zh}，联网后核定", text_en=f"{said.text_en}; decided once online")


def _amount_zh(unit: str, amount: int) -> str:
    match unit:
        case "points":
            return f" {amount} 分"
        case "fen":
            return f"补贴 {amount // 100}.{amount % 100:02} 元"
        case "gco2e":
            return f"减碳 {amount} 克"
        case _:
            return f"绿色凭证 {amount} 份"


def _amount_en(unit: str, amount: int) -> str:
    match unit:
        case "points":
            return f"{amount} points"
        case "fen":
            return f"¥{amount // 100}.{amount % 100:02}"
        case "gco2e":
            return f"{amount} g CO2e saved"
        case _:
            return f"{amount} of {unit}"
