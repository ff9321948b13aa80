"""What several accounts of one person carried from one departure counts once, the largest of it: counters lose what was
added twice when the accounts became one, or when an identity came back to the one that was left.
"""

from alembic import op

revision = "0076_counted_once"
down_revision = "0075_unit_of_address"
branch_labels = None
depends_on = None

# A counter is the sum of all that was carried and of awards, so it holds what it loses.
TWICE = """
WITH carried AS (
  SELECT x.city, coalesce(m.survivor, x.person) AS person, x.period, x.cap, sum(x.used) - max(x.used) AS twice
  FROM carried_caps x LEFT JOIN merged_residents m ON m.absorbed = x.person GROUP BY 1, 2, 3, 4, x.departure),
twice AS (
  SELECT city, person, period, cap, sum(twice)::bigint AS used FROM carried GROUP BY 1, 2, 3, 4 HAVING sum(twice) > 0)"""


def upgrade() -> None:
    op.execute(f"""{TWICE}
UPDATE cap_counters k SET used = k.used - t.used, version = k.version + 1 FROM twice t
WHERE k.city = t.city AND k.person = t.person AND k.period = t.period AND k.cap = t.cap""")
    op.execute(f"""{TWICE}
UPDATE redemption_counters k SET used = k.used - t.used FROM twice t
WHERE k.city = t.city AND k.person = t.person AND k.period = t.period AND 'redeemed:' || k.entry = t.cap""")
