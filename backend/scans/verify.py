"""Invariants I8 and I9 of scans: awards replay from stored facts, nothing is left dangling."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding, finding
from backend.kernel.periods import civil_date
from backend.policies.compiled import PolicySet
from backend.policies.explain import explain
from backend.scans.explain import DecidedScan, facts_of, replay, stored_verdict
from backend.scans.quote_store import each_quoted
from backend.scans.registered import RegistryPast
from backend.scans.reparse import DecidedRead, deviations
from backend.scans.replay import EVERY, Chosen, decided_scans
from backend.scans.signals import PRICED_AS
from backend.storage.columns import unquoted
from backend.storage.stream import streamed
from backend.storage.transaction import hot

PUBLISHED_MARGIN_MS = 600_000
"""A version published within ten minutes of a decision may have committed before or after it was taken."""

BASKETS_AT_ONCE = 500
SCANS_AT_ONCE = 2_000

DECISIONS = "SELECT count(*) FROM decisions WHERE city = %(city)s"

# A label of these two schemes names a single piece whatever the level that its certificate's scheme lets it prove.
ORPHANS = {
    "decision without a basket": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND NOT EXISTS (SELECT FROM baskets b WHERE b.city = %(city)s AND b.basket = d.basket)""",
    "basket without a decision": """
SELECT b.basket::text, NULL, NULL FROM baskets b
WHERE b.city = %(city)s AND (b.void_of IS NULL OR b.reads > 0) AND b.channel <> 'elsewhere'
  AND NOT EXISTS (SELECT FROM decisions d WHERE d.city = %(city)s AND d.basket = b.basket)""",
    "a line of the basket has no decision": """
SELECT d.basket::text, max(d.line_no), NULL FROM decisions d
JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
WHERE d.city = %(city)s GROUP BY d.basket, b.reads
HAVING count(*) FILTER (WHERE d.decision_no = 1) <> max(d.line_no) + 1 OR b.reads <> max(d.line_no) + 1""",
    "supersedes no decision": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.decision_no > 1 AND NOT EXISTS (
  SELECT FROM decisions p WHERE p.city = %(city)s AND p.basket = d.basket AND p.line_no = d.line_no
    AND p.decision_no = d.decision_no - 1)""",
    "a held scan was decided without a ruling": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
JOIN decisions held ON held.city = %(city)s AND held.basket = d.basket AND held.line_no = d.line_no
  AND held.decision_no = d.decision_no - 1 AND held.outcome = 'held'
WHERE d.city = %(city)s AND d.decision_no > 1 AND d.reason <> 'returned' AND NOT EXISTS (
  SELECT FROM hold_rulings r WHERE r.city = %(city)s AND r.basket = d.basket AND r.line_no = d.line_no
    AND r.decision_no = held.decision_no AND (r.ruling = 'refuse') = (d.reason = 'held_refused'))""",
    "held, and does not wait": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.outcome = 'held' AND NOT EXISTS (
  SELECT FROM decisions n WHERE n.city = %(city)s AND n.basket = d.basket AND n.line_no = d.line_no
    AND n.decision_no > d.decision_no)
  AND NOT EXISTS (SELECT FROM open_holds o WHERE o.city = %(city)s AND o.basket = d.basket AND o.line_no = d.line_no
    AND o.decision_no = d.decision_no)""",
    "waits, and is not held": """
SELECT o.basket::text, o.line_no, o.decision_no FROM open_holds o
LEFT JOIN LATERAL (
  SELECT d.decision_no, d.outcome FROM decisions d WHERE d.city = %(city)s AND d.basket = o.basket AND d.line_no = o.line_no
  ORDER BY d.decision_no DESC LIMIT 1) d ON true
WHERE o.city = %(city)s AND (d.decision_no IS DISTINCT FROM o.decision_no OR d.outcome <> 'held')""",
    "a ruling that no decision follows": """
SELECT r.basket::text, r.line_no, r.decision_no FROM hold_rulings r
WHERE r.city = %(city)s AND NOT EXISTS (
  SELECT FROM decisions d WHERE d.city = %(city)s AND d.basket = r.basket AND d.line_no = r.line_no
    AND d.decision_no = r.decision_no + 1)""",
    "an appeal that was upheld, and no award follows": """
SELECT a.basket::text, a.line_no, a.new_decision_no FROM appeals a
WHERE a.city = %(city)s AND a.state = 'upheld' AND NOT EXISTS (
  SELECT FROM decisions d WHERE d.city = %(city)s AND d.basket = a.basket AND d.line_no = a.line_no
    AND d.decision_no = a.new_decision_no AND d.award > 0)""",
    "names a policy version that does not exist": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.policy_version IS NOT NULL AND NOT EXISTS (
  SELECT FROM policy_versions v WHERE v.city = %(city)s AND v.version = d.policy_version)""",
    "names a certificate row that does not exist": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.certificate_row IS NOT NULL
  AND NOT EXISTS (SELECT FROM certificate_states s WHERE s.id = d.certificate_row)""",
    "an award for a unit label that was not claimed": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.award > 0 AND (d.level = 'U' OR d.scheme IN ('sgtin', 'organic')) AND NOT EXISTS (
  SELECT FROM unit_claims u WHERE u.city = %(city)s AND u.key = d.label_key AND u.basket = d.basket
    AND u.line_no = d.line_no)
  AND NOT EXISTS (SELECT FROM hand_ins h WHERE h.city = %(city)s AND h.basket = d.basket)""",
    "a unit label was claimed by no award": """
SELECT u.basket::text, u.line_no, NULL FROM unit_claims u
WHERE u.city = %(city)s AND NOT EXISTS (
  SELECT FROM decisions d WHERE d.city = %(city)s AND d.basket = u.basket AND d.line_no = u.line_no AND d.award > 0
    AND d.label_key = u.key)
  AND NOT EXISTS (
    SELECT FROM quoted_decisions d JOIN quotes q ON q.city = %(city)s AND q.basket = d.basket AND q.state = 'held'
    WHERE d.city = %(city)s AND d.basket = u.basket AND d.line_no = u.line_no AND d.award > 0 AND d.label_key = u.key)""",
    "a quote holds an award for a unit label that it did not claim": """
SELECT d.basket::text, d.line_no, d.decision_no FROM quoted_decisions d
JOIN quotes q ON q.city = %(city)s AND q.basket = d.basket AND q.state = 'held'
WHERE d.city = %(city)s AND d.award > 0 AND (d.level = 'U' OR d.scheme IN ('sgtin', 'organic')) AND NOT EXISTS (
  SELECT FROM unit_claims u WHERE u.city = %(city)s AND u.key = d.label_key AND u.basket = d.basket
    AND u.line_no = d.line_no)""",
    "a quoted line without its quote": """
SELECT d.basket::text, d.line_no, d.decision_no FROM quoted_decisions d
WHERE d.city = %(city)s AND NOT EXISTS (SELECT FROM quotes q WHERE q.city = %(city)s AND q.basket = d.basket)""",
    "a quote without a line": """
SELECT q.basket::text, NULL, NULL FROM quotes q
WHERE q.city = %(city)s AND NOT EXISTS (
  SELECT FROM quoted_decisions d WHERE d.city = %(city)s AND d.basket = q.basket AND d.line_no = 0)""",
    "a quote is captured and no basket, or a basket and not captured": """
SELECT q.basket::text, NULL, NULL FROM quotes q
WHERE q.city = %(city)s AND (q.state = 'captured') <> EXISTS (
  SELECT FROM baskets b WHERE b.city = %(city)s AND b.basket = q.basket)""",
    "came back, but no such line was sold": """
SELECT r.basket::text, r.line_no, r.decision_no FROM returns r
LEFT JOIN decisions f ON f.city = %(city)s AND f.basket = r.basket AND f.line_no = r.line_no AND f.decision_no = 1
LEFT JOIN decisions d ON d.city = %(city)s AND d.basket = r.basket AND d.line_no = r.line_no
  AND d.decision_no = r.decision_no
WHERE r.city = %(city)s AND (d.basket IS NULL OR f.quantity IS DISTINCT FROM r.bought)""",
    "more came back than was bought, or a return is missing": """
SELECT r.basket::text, r.line_no, NULL FROM returns r WHERE r.city = %(city)s GROUP BY r.basket, r.line_no
HAVING max(r.returned_before + r.quantity) <> sum(r.quantity) OR sum(r.quantity) > min(r.bought)""",
    "came back, all of it, and waits to be decided": """
SELECT r.basket::text, r.line_no, max(d.decision_no) FROM returns r
JOIN decisions d ON d.city = %(city)s AND d.basket = r.basket AND d.line_no = r.line_no
  AND d.outcome IN ('pending_product', 'unclaimed', 'held')
WHERE r.city = %(city)s AND r.returned_before + r.quantity = r.bought AND NOT EXISTS (
  SELECT FROM decisions later WHERE later.city = %(city)s AND later.basket = d.basket AND later.line_no = d.line_no
    AND later.decision_no > d.decision_no)
GROUP BY r.basket, r.line_no""",
    "decided as returned, but it did not all come back": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.reason = 'returned' AND NOT EXISTS (
  SELECT FROM returns r WHERE r.city = %(city)s AND r.basket = d.basket AND r.line_no = d.line_no
    AND r.decision_no = d.decision_no - 1 AND r.returned_before + r.quantity = r.bought)""",
    "voids a former basket, which did not all come back": """
SELECT v.basket::text, d.line_no, NULL FROM baskets v
JOIN baskets t ON t.city = %(city)s AND t.device = v.device AND t.stream = v.stream AND t.seq = v.void_of
  AND t.void_of IS NULL
JOIN decisions d ON d.city = %(city)s AND d.basket = t.basket AND d.decision_no = 1
WHERE v.city = %(city)s AND v.void_of IS NOT NULL
  AND NOT EXISTS (SELECT FROM open_voids o WHERE o.city = %(city)s AND o.basket = v.basket)
  AND NOT EXISTS (SELECT FROM returns r WHERE r.city = %(city)s AND r.basket = d.basket AND r.line_no = d.line_no
                  AND r.returned_before + r.quantity = r.bought)""",
    "an old unit was handed in for it, and its pieces are not those of the sale": """
SELECT h.basket::text, h.sold_line::int, NULL FROM hand_ins h
LEFT JOIN decisions s ON s.city = %(city)s AND s.basket = h.sold_basket AND s.line_no = h.sold_line AND s.decision_no = 1
LEFT JOIN decisions d ON d.city = %(city)s AND d.basket = h.basket AND d.line_no = 0 AND d.decision_no = 1
WHERE h.city = %(city)s AND s.quantity - (
    SELECT coalesce(sum(r.quantity), 0) FROM returns r
    WHERE r.city = %(city)s AND r.basket = h.sold_basket AND r.line_no = h.sold_line) IS DISTINCT FROM d.quantity - (
    SELECT coalesce(sum(t.quantity), 0) FROM returns t WHERE t.city = %(city)s AND t.basket = h.basket)""",
    "an old unit of no hand-in": """
SELECT b.basket::text, NULL, NULL FROM baskets b
WHERE b.city = %(city)s AND b.channel = 'hand_in'
  AND NOT EXISTS (SELECT FROM hand_ins h WHERE h.city = %(city)s AND h.basket = b.basket)""",
    "its bytes are not those of its hash": """
SELECT b.basket::text, NULL, NULL FROM baskets b
WHERE b.city = %(city)s AND b.line IS NOT NULL AND sha256(b.line) <> b.sha256""",
    "a policy text is not the one of its hash": """
SELECT v.version::text, NULL, NULL FROM policy_versions v
WHERE v.city = %(city)s AND encode(sha256(convert_to(v.text, 'UTF8')), 'hex') <> v.sha256""",
    "an approval names a preview that is not on record": """
SELECT a.draft::text, NULL, NULL FROM policy_approvals a
WHERE a.city = %(city)s AND a.preview_sha256 IS NOT NULL AND NOT EXISTS (
  SELECT FROM policy_previews p WHERE p.city = %(city)s AND p.draft = a.draft AND p.sha256 = a.preview_sha256)""",
    "was compared with a usual price that was never reckoned": f"""
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
WHERE d.city = %(city)s AND d.median_fen IS NOT NULL AND NOT EXISTS (
  SELECT FROM price_medians m WHERE m.city = %(city)s AND m.label_key = {PRICED_AS} AND m.median_fen = d.median_fen
    AND m.week BETWEEN date_trunc('week', b.sold_at AT TIME ZONE 'Asia/Shanghai')::date - 7
                   AND date_trunc('week', b.sold_at AT TIME ZONE 'Asia/Shanghai')::date)""",
    "an unknown product that nobody looks for": """
SELECT d.basket::text, d.line_no, d.decision_no FROM decisions d
WHERE d.city = %(city)s AND d.outcome = 'pending_product' AND d.label_key IS NOT NULL AND NOT EXISTS (
  SELECT FROM decisions later WHERE later.city = %(city)s AND later.basket = d.basket AND later.line_no = d.line_no
    AND later.decision_no > d.decision_no)
  AND NOT EXISTS (
    SELECT FROM pending_products p WHERE p.city = %(city)s AND p.key = d.label_key AND p.resolved_at IS NULL)""",
}


LINES = """
SELECT basket::text, line FROM baskets
WHERE city = %(city)s AND line IS NOT NULL AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)"""

NEWEST_LINES = LINES + " ORDER BY recorded_at DESC LIMIT %(lines_max)s"

QUOTED_LINES = """
SELECT basket::text, line FROM quotes
WHERE city = %(city)s AND line IS NOT NULL AND (%(since)s::timestamptz IS NULL OR sold_at >= %(since)s)"""

READS_QUOTED = """
SELECT basket::text, line_no, decision_no, code, code_text, symbology, quantity, price_fen, serial, 0
FROM quoted_decisions
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[])"""

READS_DECIDED = """
SELECT d.basket::text, d.line_no, d.decision_no, d.code, d.code_text, d.symbology, d.quantity, d.price_fen, d.serial,
  coalesce((SELECT sum(r.quantity) FROM returns r WHERE r.city = %(city)s AND r.basket = d.basket AND r.line_no = d.line_no
            AND r.decision_no < d.decision_no - CASE WHEN d.reason IN ('returned', 'held_refused') THEN 1 ELSE 0 END), 0)::int
FROM decisions d WHERE d.city = %(city)s AND d.basket = ANY(%(baskets)s::uuid[])"""


def awards_replay(
    connection: Connection,
    city: str,
    policies: PolicySet,
    published_at_ms: Mapping[str, int],
    chosen: Chosen = EVERY,
    lines_max: int | None = None,
    told: Callable[[int], None] = lambda _done: None,
) -> Finding:
    """I8: every decision, also one that a quote promises, taken again from its stored facts and policy version comes out the
    same, award by award.

    And no refusal stands where a policy that was surely in force would have paid, the certificate's facts are those of the
    registry as it was known then, and the read's are those of the bytes that were signed, where these are kept: of all
    baskets recorded since `chosen.since`, or of the newest `lines_max`. `published_at_ms`: when each version was published;
    `told` hears how many were looked at.
    """
    looked = 0

    def breaks() -> Iterator[Break]:
        nonlocal looked
        past = RegistryPast(connection)
        promised = each_quoted(connection, city, chosen)
        for scans, tell in ((decided_scans(connection, city, chosen), told), (promised, lambda _done: None)):
            while some := list(islice(scans, SCANS_AT_ONCE)):
                past.read(some)
                for scan in some:
                    fault = _replay_fault(scan, policies, published_at_ms) or past.fault(scan)
                    if fault is not None:
                        d = scan.decision
                        yield Break(f"decision {d.basket} line {d.line_no} no {d.decision_no}", fault)
                looked += len(some)
                tell(looked)

    found = finding("I8", city, 0, chain(breaks(), _unsigned(connection, city, chosen.since, lines_max)))
    return found._replace(checked=looked)


def nothing_dangles(connection: Connection, city: str, unposted: Iterable[Break]) -> Finding:
    """I9: every scan has one decision in force, every decision a basket, and no soft link dangles.

    `unposted`: awards without their posting and postings without their award, which the use case finds.
    """
    return finding("I9", city, _count(connection, DECISIONS, city), chain(_dangling(connection, city), unposted))


def _dangling(connection: Connection, city: str) -> Iterator[Break]:
    for fault, statement in ORPHANS.items():
        for basket, line_no, decision_no in streamed(connection, statement, {"city": city}):
            yield Break(_place(basket, line_no, decision_no), fault)


def _unsigned(connection: Connection, city: str, since: datetime | None, lines_max: int | None) -> Iterator[Break]:
    """Decisions, made or promised, that say another thing than the bytes of their basket; a slice of baskets at a time."""
    recorded = LINES if lines_max is None else NEWEST_LINES
    for statement, reads in ((recorded, READS_DECIDED), (QUOTED_LINES, READS_QUOTED)):
        lines = streamed(connection, statement, {"city": city, "since": since, "lines_max": lines_max})
        while some := list(islice(lines, BASKETS_AT_ONCE)):
            decided: defaultdict[str, list[DecidedRead]] = defaultdict(list)
            baskets = unquoted([basket for basket, _ in some])
            for basket, *facts in hot(connection, reads, {"city": city, "baskets": baskets}):
                decided[basket].append(DecidedRead(*facts))
            for basket, line in some:
                for line_no, decision_no, found in deviations(line, decided[basket]):
                    yield Break(_place(basket, line_no, decision_no), found)


def _replay_fault(scan: DecidedScan, policies: PolicySet, published_at_ms: Mapping[str, int]) -> str | None:
    decision = scan.decision
    stored, again = stored_verdict(scan), replay(scan, policies)
    if stored != again:
        return f"stored {stored}, replayed {again}"
    wrong = _suspension_fault(scan, policies)
    facts = facts_of(scan)
    if (
        wrong
        or facts is None
        or decision.outcome != "none"
        or decision.reason not in ("no_policy", "condition", "evidence")
    ):
        return wrong
    known_before = scan.decided_at_ms - PUBLISHED_MARGIN_MS
    sold_on = civil_date(scan.sold_at_ms)
    for policy in policies.in_force(scan.sold_at_ms).policies:
        if published_at_ms[policy.version] > known_before or not policy.concerns(facts):
            continue
        if decision.reason == "no_policy" or explain(facts, sold_on, [policy]).gross:
            return f"stored {decision.reason}, but policy {policy.policy.policy} was in force and has an answer"
    return None


def _suspension_fault(scan: DecidedScan, policies: PolicySet) -> str | None:
    """A suspension begins no earlier than it is recorded: what is decided well after it has begun knows of it.

    That a sale was told of a suspension needs one that began before it; where it ended may have been settled later.
    """
    named = {award.version for award in scan.awards if award.amount}
    for policy in policies:
        for begin, end in policy.suspended:
            late = begin < scan.decided_at_ms - PUBLISHED_MARGIN_MS
            if policy.version in named and late and begin <= scan.sold_at_ms < end:
                return f"awarded, but policy {policy.policy.policy} was suspended at the sale"
    begun = any(begin <= scan.sold_at_ms for policy in policies for begin, _ in policy.suspended)
    return "no policy was suspended" if scan.decision.reason == "policy_suspended" and not begun else None


def _place(basket: str, line_no: int | None, decision_no: int | None) -> str:
    parts = [f"basket {basket}"]
    if line_no is not None:
        parts.append(f"line {line_no}")
    if decision_no is not None:
        parts.append(f"no {decision_no}")
    return " ".join(parts)


def _count(connection: Connection, statement: str, city: str) -> int:
    row = hot(connection, statement, {"city": city}).fetchone()
    assert row is not None
    counted: int = row[0]
    return counted
