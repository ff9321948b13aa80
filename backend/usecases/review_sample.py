from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.cases import samples
from backend.cases.samples import Finding
from backend.scans.holds.rulings import Said


def review_sample(
    connection: Connection, city: str, place: tuple[str, int], finding: Finding, said: Said, now: datetime
) -> None:
    """What a look at an award found that was drawn by lot; `place` is its basket and line. Raises SampleSettled."""
    samples.review(connection, city, place, finding, said.reason, said.by, now)
    key = f"{place[0]}/{place[1]}"
    record(
        connection,
        Act(What.SAMPLE_REVIEWED, city, "audit-sample", key, now, said.reason, after={"finding": finding.value}),
    )
