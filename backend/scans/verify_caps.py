"""Invariant I7: every counter is the sum of the awards that it counts, less what returns gave back, and within its cap."""

import json
from collections.abc import Iterator
from itertools import chain

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding, finding
from backend.policies.compiled import PolicySet
from backend.policies.limits import once_rule
from backend.policies.model import Per
from backend.storage.columns import flags, numbers, unquoted, words
from backend.storage.stream import streamed
from backend.storage.transaction import hot

COUNTERS = "SELECT count(*) FROM cap_counters WHERE city = %(city)s"

_VALUES = {
    Per.ADDRESS: "a.evidence::json->>'address'",
    Per.BASKET: "a.basket::text",
    Per.CATEGORY: "a.category",
    Per.SCHEME: "a.certificate_scheme",
    Per.CHANNEL: "a.channel",
    Per.DISTRICT: "a.district",
    Per.MODEL: "a.label_key",
    Per.PHONE: "a.evidence::json->>'phone'",
    Per.STORE: "a.store",
    Per.TILL: "a.device",
    Per.CASHIER: "a.cashier",
    Per.SERIAL: "a.serial",
    Per.HOUR: "to_char(a.sold_at AT TIME ZONE INTERVAL '8 hours', 'HH24')",
    Per.TRADE_IN: "a.evidence::json->>'trade_in'",
}
_SUFFIX = " || ".join(
    f"CASE WHEN c.per LIKE '%%,{per.value},%%' THEN '/' || ({_VALUES[per]}) ELSE '' END" for per in sorted(_VALUES)
)
_MOMENT = "moment"
# The counter's name tells its cap: owner/cap, then what it counts by.
_BASE = "split_part(k.cap, '/', 1) || '/' || split_part(k.cap, '/', 2)"

# Civil time of every city is UTC+8 without daylight saving, as in kernel.periods. A cap of pieces or awards counts a scan
# once, whatever the number of units that it earns in. What came back in time counts no more: amounts and pieces by its share,
# an award with the last piece; but the acts that a milestone counts stay counted. What two accounts of one person had used
# before they became one is counted together, be it more than the cap, and is no less where the person left and came back; what
# several of them carried from one departure counts once, the largest.
OFF_CAPS = f"""
WITH caps AS (
  SELECT * FROM unnest(%(versions)s::uuid[], %(caps)s::text[], %(kinds)s::text[], %(limits)s::bigint[], %(units)s::text[],
                       %(counts)s::text[], %(pers)s::text[], %(schemes)s::text[], %(categories)s::text[], %(rules)s::text[],
                       %(varies)s::boolean[], %(days)s::int[], %(acts)s::boolean[])
    c(version, cap, kind, most, unit, counts, per, schemes, categories, rule, varies, days, acts)),
back AS (
  SELECT r.basket, r.line_no, r.decision_no, array_agg(r.quantity) AS pieces,
         array_agg((r.returned_at AT TIME ZONE INTERVAL '8 hours')::date - (b.sold_at AT TIME ZONE INTERVAL '8 hours')::date)
           AS days
  FROM returns r JOIN baskets b ON b.city = %(city)s AND b.basket = r.basket
  WHERE r.city = %(city)s GROUP BY 1, 2, 3),
awards AS (
  SELECT d.basket, d.line_no, d.decision_no, d.quantity, d.resident, d.category, d.certificate_scheme, d.label_key, d.evidence,
         d.serial, b.sold_at, b.store, b.district, b.channel, b.device, b.cashier, x.policy_version, x.rule, x.unit, x.award
  FROM decisions d
  JOIN LATERAL (
    SELECT d.policy_version, d.rule, d.unit, d.award WHERE d.award > 0
    UNION ALL
    SELECT f.policy_version, f.rule, f.unit, f.award FROM further_awards f
    WHERE f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.decision_no = d.decision_no
      AND f.award > 0) x ON true
  JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
  WHERE d.city = %(city)s AND d.outcome = 'awarded' AND NOT EXISTS (
    SELECT FROM decisions later WHERE later.city = %(city)s AND later.decision_no > 1 AND later.basket = d.basket
      AND later.line_no = d.line_no AND later.decision_no > d.decision_no)
  UNION ALL
  SELECT d.basket, d.line_no, d.decision_no, d.quantity, d.resident, d.category, d.certificate_scheme, d.label_key, d.evidence,
         d.serial, q.sold_at, q.store, q.district, q.channel, q.device, q.cashier, x.policy_version, x.rule, x.unit, x.award
  FROM quoted_decisions d
  JOIN LATERAL (
    SELECT d.policy_version, d.rule, d.unit, d.award WHERE d.award > 0
    UNION ALL
    SELECT f.policy_version, f.rule, f.unit, f.award FROM quoted_awards f
    WHERE f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.award > 0) x ON true
  JOIN quotes q ON q.city = %(city)s AND q.basket = d.basket AND q.state = 'held'
  WHERE d.city = %(city)s AND d.outcome = 'awarded'),
counted AS (
  SELECT c.cap || {_SUFFIX} AS cap, c.per LIKE '%%,person,%%' AS of_person, a.resident,
         CASE c.kind WHEN 'moment' THEN 't' || lpad(floor(extract(epoch FROM a.sold_at) * 1000)::bigint::text, 14, '0')
                     WHEN 'day' THEN to_char(a.sold_at AT TIME ZONE INTERVAL '8 hours', 'FMYYYY-MM-DD')
                     WHEN 'month' THEN to_char(a.sold_at AT TIME ZONE INTERVAL '8 hours', 'FMYYYY-MM')
                     WHEN 'year' THEN to_char(a.sold_at AT TIME ZONE INTERVAL '8 hours', 'FMYYYY')
                     ELSE '-' END AS period,
         CASE c.counts
           WHEN 'amount' THEN sum(a.award - CASE WHEN r.pieces = a.quantity THEN a.award WHEN strpos(a.rule, '#') > 0 THEN 0
                                                 ELSE div(a.award::numeric * r.pieces, a.quantity) END)
           WHEN 'pieces' THEN max(a.quantity - r.pieces)::numeric
           ELSE CASE WHEN min(a.quantity - r.pieces) = 0 AND NOT c.acts THEN 0 ELSE 1 END END AS used
  FROM awards a
  JOIN caps c ON c.version = a.policy_version
  LEFT JOIN back k ON k.basket = a.basket AND k.line_no = a.line_no AND k.decision_no = a.decision_no
  JOIN LATERAL (SELECT CASE WHEN k.basket IS NULL THEN 0 ELSE (
      SELECT coalesce(sum(t.pieces), 0) FROM unnest(k.pieces, k.days) t(pieces, days) WHERE c.days IS NULL OR t.days <= c.days
    ) END AS pieces) r ON true
  WHERE (c.counts <> 'amount' OR c.unit = a.unit) AND (c.rule IS NULL OR c.rule = a.rule)
    AND (c.schemes IS NULL OR jsonb_exists(c.schemes::jsonb, a.certificate_scheme))
    AND (c.categories IS NULL OR jsonb_exists(c.categories::jsonb, a.category))
  GROUP BY 1, 2, 3, 4, c.counts, c.acts, a.basket, a.line_no, a.policy_version),
carried AS (
  SELECT x.cap, x.period, coalesce(m.survivor, x.person) AS person, max(x.used) AS used FROM carried_caps x
  LEFT JOIN merged_residents m ON m.absorbed = x.person WHERE x.city = %(city)s GROUP BY 1, 2, 3, x.departure),
earned AS (
  SELECT cap, period,
         CASE WHEN of_person THEN coalesce(m.survivor, resident)
              ELSE left(encode(sha256(convert_to(cap, 'UTF8')), 'hex'), 32)::uuid END AS person,
         sum(used) AS used
  FROM (SELECT cap, of_person, resident, period, used FROM counted
        UNION ALL
        SELECT cap, true, person, period, used FROM carried WHERE NOT starts_with(cap, 'redeemed:')) counted
  LEFT JOIN merged_residents m ON m.absorbed = counted.resident GROUP BY 1, 2, 3),
people AS (SELECT survivor, count(*) + 1 AS accounts FROM merged_residents GROUP BY survivor)
SELECT cap, period, person::text, k.used::text, k.allowed::text, e.used::text
FROM (SELECT cap, period, person, used, allowed FROM cap_counters WHERE city = %(city)s) k
FULL JOIN earned e USING (cap, period, person)
WHERE coalesce(k.used, 0) <> coalesce(e.used, 0) OR k.used > k.allowed
   OR k.used IS NOT NULL AND NOT EXISTS (SELECT FROM caps c WHERE c.cap = {_BASE} AND (c.varies OR c.most = k.allowed
     OR EXISTS (SELECT FROM people p WHERE p.survivor = k.person AND k.allowed BETWEEN c.most AND c.most * p.accounts)
     OR c.most <= k.allowed AND EXISTS (
       SELECT FROM carried r WHERE r.person = k.person AND r.period = k.period AND r.cap = k.cap)
     OR k.used = 0 AND EXISTS (SELECT FROM merged_residents g WHERE g.absorbed = k.person)))"""


TOO_NEAR = f"""
SELECT k.cap, k.before, k.period
FROM (SELECT cap, person, {_BASE} AS base, period, lag(period) OVER (PARTITION BY person, cap ORDER BY period) AS before
      FROM cap_counters k WHERE k.city = %(city)s AND period LIKE 't%%' AND used > 0) k
JOIN unnest(%(caps)s::text[], %(within)s::bigint[]) w(base, within) USING (base)
WHERE substr(k.period, 2)::bigint - substr(k.before, 2)::bigint < w.within AND NOT EXISTS (
  SELECT FROM merged_residents m
  WHERE m.survivor = k.person AND to_timestamp(substr(k.period, 2)::bigint / 1000.0) <= m.merged_at)
AND NOT EXISTS (SELECT FROM carried_caps x WHERE x.city = %(city)s AND x.cap = k.cap AND x.period IN (k.period, k.before))"""


def caps_hold(connection: Connection, city: str, policies: PolicySet) -> Finding:
    """I7: of every cap and what it counts by, the awards in force less what came back, and those that quotes hold, sum to the
    counter, and to no more than is allowed.
    """
    caps = [(policy, cap) for policy in policies for cap in policy.caps]
    params = {
        "city": city,
        "versions": unquoted([policy.version for policy, _ in caps]),
        "caps": words([cap.counter for _, cap in caps]),
        "kinds": words([_MOMENT if cap.within_ms else cap.period for _, cap in caps]),
        "limits": numbers([cap.limit for _, cap in caps]),
        "units": words([cap.unit for _, cap in caps]),
        "counts": words([cap.counts for _, cap in caps]),
        "pers": words([f",{','.join(cap.per)}," for _, cap in caps]),
        "schemes": words([_listed(cap.schemes) for _, cap in caps]),
        "categories": words([_listed(cap.categories) for _, cap in caps]),
        "rules": words([once_rule(cap, policy.policy) for policy, cap in caps]),
        "varies": flags([cap.limit_of is not None or cap.holds for _, cap in caps]),
        "days": numbers([policy.policy.returns.days for policy, _ in caps]),
        "acts": flags([any(cap == one.counter for one in policy.milestones) for policy, cap in caps]),
    }
    breaks = (
        Break(
            f"cap {cap} {period} person {person}",
            f"counter {used or 'missing'} of {allowed or '?'}, awards sum to {earned or '0'}",
        )
        for cap, period, person, used, allowed, earned in streamed(connection, OFF_CAPS, params)
    )
    return finding("I7", city, _count(connection, city), chain(breaks, _too_near(connection, city, policies)))


def _too_near(connection: Connection, city: str, policies: PolicySet) -> Iterator[Break]:
    """Awards of one window that lie nearer together than any version of it allows; of somebody who left and came back only a
    day is known.
    """
    shortest: dict[str, int] = {}
    for cap in (cap for policy in policies for cap in policy.caps if cap.within_ms):
        shortest[cap.counter] = min(cap.within_ms, shortest.get(cap.counter, cap.within_ms))
    if not shortest:
        return
    given = {"city": city, "caps": words(list(shortest)), "within": numbers(list(shortest.values()))}
    for cap, before, period in streamed(connection, TOO_NEAR, given):
        yield Break(f"window {cap}", f"awards at {before} and {period} of Unix milliseconds lie too near together")


def _listed(names: frozenset[str]) -> str | None:
    return json.dumps(sorted(names), ensure_ascii=False) if names else None


def _count(connection: Connection, city: str) -> int:
    row = hot(connection, COUNTERS, {"city": city}).fetchone()
    assert row is not None
    counted: int = row[0]
    return counted
