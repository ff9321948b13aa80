"""The wallet as one answer, and what the caps leave a resident before a purchase."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from flask import Response

from backend.certificates.model import Entry
from backend.certificates.validity import standing
from backend.kernel.amounts import Unit
from backend.kernel.periods import civil_date, instant, milliseconds, period_keys
from backend.labels.parse import parse
from backend.ledger import queries as ledger_queries
from backend.policies.compiled import CompiledPolicy
from backend.policies.left import NOTHING_KNOWN, Allowance, PolicyAllowances, allowance_words, allowances, resets_ms
from backend.policies.model import Counts, Facts
from backend.scans import queries
from backend.scans.decide import entries_of, level_of
from backend.web.auth import Access
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.answers import Answer, balance_answer, expiry_answer, place_cursor
from backend.web.resident.routes import resident
from backend.web.resident.schemas import CityQuery
from backend.web.resident.wallet_schemas import CapsBody, CapsSchema, WalletSchema

Lookup = Callable[[Iterable[str]], Mapping[str, tuple[Entry, ...]]]
EXPIRIES_SHOWN = 5
ESTIMATE = {
    "estimate": True,
    "note": "环境效益为按政策公布方法得出的估算值，单独列示，不折算为积分或钱。",
    "note_en": "An estimate by the method that the policy names; shown apart, never converted into points or money.",
}


class Goods(NamedTuple):
    """What is known of the goods that a resident asks about; `facts` None where they can earn nothing."""

    shown: Answer | None
    facts: Facts | None


@endpoint(resident, "/wallet", access=Access.RESIDENT, query=CityQuery(), answers={200: WalletSchema()})
def wallet(query: dict[str, Any]) -> Response:
    """我的账户 / the wallet: points, money, impact and evidence, each apart, and what ends first.

    amount 为可用；pending 为待生效及生效时刻；expiries_next 交给 /expiries 继续翻页。
    `amount` is available now; `pending` says from when; hand `expiries_next` to /expiries for the rest.
    """
    who, now_ms = session(), milliseconds(now())
    city = query["city"] or who.city
    with backend().database.glance() as connection:
        held = ledger_queries.holdings(connection, city, who.resident)
    ends = ledger_queries.coming_expiries(held, now_ms)

    def of(unit: Unit) -> Answer:
        return balance_answer(unit.value, [one for one in held if one.unit == unit.value], now_ms)

    return answer(
        {
            "city": city,
            "points": of(Unit.POINTS),
            "money": of(Unit.FEN),
            "impact": of(Unit.GCO2E) | ESTIMATE,
            "evidence": of(Unit.EVIDENCE),
            "expiries": [expiry_answer(one, now_ms) for one in ends[:EXPIRIES_SHOWN]],
            "expiries_next": place_cursor(ends[EXPIRIES_SHOWN - 1]) if len(ends) > EXPIRIES_SHOWN else None,
        }
    )


@endpoint(resident, "/caps:read", method="POST", access=Access.RESIDENT, body=CapsBody(), answers={200: CapsSchema()})
def caps_left(body: dict[str, Any]) -> Response:
    """购买前还有多少额度 / what the caps of the policies in force leave this resident, before a purchase.

    提供 code 或 category 时只列与该商品有关的规则；只有证书有效的商品才有。
    With a code or a category only rules that may pay for those goods are listed, and none where no certificate is valid.
    """
    who, now_ms = session(), milliseconds(now())
    city, on = body["city"] or who.city, civil_date(now_ms)
    with backend().database.read() as connection:
        goods = _goods(body, lambda keys: backend().registry.lookup(connection, keys), now_ms)
        policies = backend().policies.lookup(connection, city).in_force(now_ms).policies
        used = queries.used_of(connection, city, who.resident, period_keys(on))
    found = [] if goods.facts is None else allowances(policies, who.resident, on, used, goods.facts)
    return answer({"city": city, "goods": goods.shown, "policies": [_policy(one, now_ms) for one in found]})


def _goods(body: dict[str, Any], lookup: Lookup, now_ms: int) -> Goods:
    if body["code"] is None:
        return Goods(None, NOTHING_KNOWN._replace(category=body["category"]))
    reading = parse(body["code"], body["symbology"], body["aim"])
    entries = entries_of(reading, lookup(reading.registry_keys)) if reading.usable else ()
    now_is = standing(entries, now_ms) if entries else None
    entry = now_is.entry if now_is else None
    state = now_is.state if now_is else "unknown" if reading.usable else "not_a_product"
    shown = _shown(reading.key, entry, state)
    level = level_of(reading, entry.level if entry else None)
    if entry is None or level is None or state != "valid":
        return Goods(shown, None)
    facts = NOTHING_KNOWN._replace(
        scheme=reading.scheme.value,
        level=level,
        category=entry.category,
        grade=entry.grade,
        tier=entry.tier,
        body=entry.body,
        certificate_scheme=entry.scheme,
        model=reading.key,
    )
    return Goods(shown, facts)


def _shown(key: str | None, entry: Entry | None, state: str) -> Answer:
    return {
        "key": key,
        "product": entry.product if entry else None,
        "category": entry.category if entry else None,
        "grade": entry.grade if entry else None,
        "tier": entry.tier if entry else None,
        "state": state,
    }


def _policy(found: PolicyAllowances, now_ms: int) -> Answer:
    policy = found.policy.policy
    rules = [one.rule for one in found.rules]
    return {
        "policy": policy.policy,
        "title": policy.title_zh,
        "title_en": policy.title_en,
        "document_number": policy.document.number,
        "document_url": policy.document.url,
        "until": instant(found.policy.until_ms),
        "rules": [{"rule": one.rule, "name": one.name_zh, "name_en": one.name_en} for one in rules],
        "caps": [_cap(found.policy, one, now_ms) for one in found.allowances],
    }


def _cap(policy: CompiledPolicy, one: Allowance, now_ms: int) -> Answer:
    said, resets = allowance_words(policy, one), resets_ms(one.cap.period, civil_date(now_ms))
    return {
        "cap": one.cap.name,
        "counts": one.cap.counts.value,
        "unit": one.cap.unit or policy.policy.units[0].value if one.cap.counts is Counts.AMOUNT else None,
        "period": one.cap.period.value,
        "resets_at": None if resets is None else instant(resets),
        "limit": one.cap.limit,
        "used": one.used,
        "left": one.left,
        "rules": [rule.rule.rule for rule in one.rules],
        "sentence": said.zh,
        "sentence_en": said.en,
    }
