"""What each source of money bears of the awards of some days, less what came back with goods: every award parted by the
shares of its own version.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.ledger import chart
from backend.policies.compiled import PolicySet
from backend.policies.funding import funding_lines
from backend.policies.model import Share
from backend.policies.store import load_versions
from backend.scans.model import READS_MAX
from backend.storage.transaction import hot
from backend.usecases.award_postings import PART_STEP
from backend.usecases.return_postings import TRANSFERS_MAX

# Awards of one version, unit and amount are parted alike, so that a month of millions comes back as some thousand rows. What
# several accounts paid together for one award is one award.
AWARDED = """
SELECT coalesce(f.policy_version, d.policy_version)::text, t.unit, t.amount::bigint, count(*)
FROM (SELECT reference, step, line %% %(part_step)s AS line, unit, sum(amount) AS amount FROM transfers
      WHERE city = %(city)s AND reason = 'award' AND recorded_at >= %(since)s AND recorded_at < %(until)s
      GROUP BY reference, step, line %% %(part_step)s, unit) t
JOIN decisions d ON d.city = %(city)s AND d.basket = t.reference AND d.line_no = t.line %% %(reads_max)s
  AND d.decision_no = t.step
LEFT JOIN further_awards f ON f.city = %(city)s AND f.basket = t.reference AND f.line_no = t.line %% %(reads_max)s
  AND f.decision_no = t.step AND f.award_no = t.line / %(reads_max)s + 1
GROUP BY 1, 2, 3"""

# What one return took back of one award, and what others had before it.
RETURNED = """
SELECT coalesce(f.policy_version, d.policy_version)::text, t.unit, coalesce(f.award, d.award),
       coalesce((SELECT sum(x.amount) FROM returns e JOIN transfers x ON x.city = %(city)s AND x.reference = e.return_id
                   AND x.step = e.place + 1 AND x.line / %(transfers_max)s = t.award AND x.reason = 'return'
                 WHERE e.city = %(city)s AND e.basket = r.basket AND e.line_no = r.line_no AND e.decision_no = r.decision_no
                   AND e.returned_before < r.returned_before), 0)::bigint, t.amount::bigint
FROM (SELECT reference, step, line / %(transfers_max)s AS award, unit, sum(amount) AS amount FROM transfers
      WHERE city = %(city)s AND reason = 'return' AND recorded_at >= %(since)s AND recorded_at < %(until)s
      GROUP BY reference, step, line / %(transfers_max)s, unit) t
JOIN returns r ON r.city = %(city)s AND r.return_id = t.reference AND r.place = t.step - 1
JOIN decisions d ON d.city = %(city)s AND d.basket = r.basket AND d.line_no = r.line_no AND d.decision_no = r.decision_no
LEFT JOIN further_awards f ON f.city = %(city)s AND f.basket = r.basket AND f.line_no = r.line_no
  AND f.decision_no = r.decision_no AND f.award_no = t.award + 1"""

POSTED = """
SELECT unit, sum(CASE reason WHEN 'award' THEN amount ELSE -amount END)::bigint FROM transfers
WHERE city = %(city)s AND reason IN ('award', 'return') AND recorded_at >= %(since)s AND recorded_at < %(until)s
GROUP BY unit ORDER BY unit"""


class Borne(NamedTuple):
    """What one source bears of a policy's awards in one unit, and its part of what came back with goods, whenever these were
    awarded; `source` is None where the policy parts nothing.
    """

    policy: str
    unit: str
    source: str | None
    name_zh: str
    name_en: str
    amount: int
    awards: int
    returned: int = 0

    @property
    def net(self) -> int:
        return self.amount - self.returned


class FundingReport(NamedTuple):
    """`posted`: what the ledger moved by awards, less by returns, by unit; `parted`: the sum of all lines. They are equal."""

    borne: tuple[Borne, ...]
    posted: Mapping[str, int]
    parted: Mapping[str, int]

    @property
    def equal(self) -> bool:
        return self.posted == self.parted


NOBODYS = Share("", "未约定分担", "not shared", 0)


def report_funding(connection: Connection, city: str, since: datetime, until: datetime) -> FundingReport:
    """Awards and returns posted in [since, until). `connection` reads one snapshot."""
    policies = load_versions(connection, city, chart.budget)
    days = {"city": city, "since": since, "until": until}
    awarded = hot(connection, AWARDED, {**days, "part_step": PART_STEP, "reads_max": READS_MAX}).fetchall()
    posted = dict(hot(connection, POSTED, days).fetchall())
    returned = hot(connection, RETURNED, {**days, "transfers_max": TRANSFERS_MAX}).fetchall()
    borne = _parted(policies, awarded, returned)
    parted: defaultdict[str, int] = defaultdict(int)
    for one in borne:
        parted[one.unit] += one.net
    return FundingReport(borne, posted, dict(parted))


def _parted(
    policies: PolicySet, awarded: list[tuple[str, str, int, int]], returned: list[tuple[str, str, int, int, int]]
) -> tuple[Borne, ...]:
    known = {
        (policy.version, budget.budget.unit.value): (policy.policy.policy, budget.budget.shares)
        for policy in policies
        for budget in policy.budgets
    }
    sums: defaultdict[tuple[str, str, Share], list[int]] = defaultdict(lambda: [0, 0, 0])
    for version, unit, amount, count in awarded:
        policy, shares = known[version, unit]
        for share, part in _parts(amount, shares):
            total = sums[policy, unit, share]
            total[0] += part * count
            total[1] += count
    for version, unit, award, before, amount in returned:
        policy, shares = known[version, unit]
        # Of an award that came back in parts each source gets back just what it bore.
        kept, left = _parts(award - before, shares), _parts(award - before - amount, shares)
        for (share, part), (_, rest) in zip(kept, left, strict=True):
            sums[policy, unit, share][2] += part - rest
    return tuple(
        Borne(policy, unit, share.source or None, share.name_zh, share.name_en, *total)
        for (policy, unit, share), total in sorted(sums.items(), key=lambda found: (*found[0][:2], found[0][2].source))
    )


def _parts(amount: int, shares: Sequence[Share]) -> list[tuple[Share, int]]:
    lines = funding_lines(amount, shares)
    return [(share, line.amount) for share, line in zip(shares, lines, strict=True)] or [(NOBODYS, amount)]
