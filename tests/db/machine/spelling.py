"""How the model's terms are spelled in documents, and its amounts in the books."""

from collections import Counter
from datetime import datetime

from tests.db.machine import model
from tests.db.machine.model import Bucket, Model, Terms
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, TELEVISION, WASHER, City

POLICIES = {"green": 1, "forest": 2, "plain": 3}
"""With the grade that each pays for."""
KNOWN = {FRIDGE: "green", WASHER: "forest", TELEVISION: "plain"}
RATES = {level: dict.fromkeys(("P1", "P2", "P3"), 10_000) for level in ("U", "M")}


def document(policy: str, one: Terms, grant: int, parts: int, start: datetime) -> rules.Doc:
    caps = [rules.cap("day", "day", one.day_cap)]
    if one.watch is not None:
        watch = {"cap": "watch", "per": ["person"], "period": "day", "limit": one.watch, "counts": "awards"}
        caps.append({**watch, "partial": False, "beyond": "hold"})
    piece = {"kind": "per_unit", "amount": one.amount}
    pays = rules.rule("piece", piece, rules.where("grade", "=", POLICIES[policy]), rates=RATES)
    doc = rules.document(pays, policy=policy, caps=caps, budget=grant, starts=start.isoformat())
    doc["budget"] |= {"shards": parts}
    doc["budget"] |= {"reclaim_on": str(one.reclaim_on)} if one.reclaim_on is not None else {}
    doc |= {"returns": {"days": one.return_days}} if one.return_days is not None else {}
    doc |= {"expiry": {"months": one.months}} if one.months else {}
    waits = {
        name: value for name, value in one._asdict().items() if value and name in ("collect_hours", "pending_days")
    }
    return doc | ({"pending": {name.removeprefix("pending_"): value for name, value in waits.items()}} if waits else {})


def address(person: str, bucket: Bucket) -> str:
    ends = "" if bucket.ends is None else f"e{bucket.ends:%Y%m%d}"
    if bucket.moment is None:
        return ":".join(filter(None, ("resident", person, ends, "points")))
    kind, _, policy = bucket.kind.partition("/")
    hour = f"{bucket.moment.astimezone(model.CHINA):%Y%m%d%H}"
    return ":".join(filter(None, (kind, person, policy, hour, ends or "-", "points")))


def accounts_of(one: Model) -> dict[str, int]:
    found = Counter({"reserved": one.reserved, "expired:points": one.expired, "redeemed:points": one.redeemed})
    found["held"] = one.held
    found.update({f"budget:{name}": book.budget for name, book in one.books.items()})
    for person, purse in one.purses.items():
        found[f"debt:{person}:points"] = -purse.debt
        for bucket, amount in purse.held.items():
            found[address(person, bucket)] += amount
    return {name: amount for name, amount in found.items() if amount}


def accounts(city: City) -> dict[str, int]:
    """What each account holds; a budget is one, however many it is spread over."""
    query = "SELECT account, balance FROM accounts WHERE city = :c AND balance <> 0 AND account !~ '^treasury:'"
    found: Counter[str] = Counter()
    for account, balance in books.rows(city.database, query, c=city.code):
        kind, name, *_ = account.split(":")
        found[{"budget": f"budget:{name}", "reserved": "reserved", "held": "held"}.get(kind, account)] += balance
    return {name: amount for name, amount in found.items() if amount}


def decided(city: City) -> set[tuple[object, ...]]:
    """Basket, line, outcome and award of every decision in force."""
    query = (
        "SELECT DISTINCT ON (basket, line_no) basket::text, line_no, outcome, award FROM decisions WHERE city = :c"
        " ORDER BY basket, line_no, decision_no DESC"
    )
    return set(books.rows(city.database, query, c=city.code))


def counters(city: City) -> dict[tuple[str, str, str], int]:
    query = "SELECT cap, person::text, period, used FROM cap_counters WHERE city = :c AND used <> 0"
    return {(cap, who, day): n for cap, who, day, n in books.rows(city.database, query, c=city.code)}
