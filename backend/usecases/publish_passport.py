"""What a city publishes about the green-credit passport: on which basis it tells a platform, and what a statement opens."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.credit import store
from backend.credit.queries import Benefit
from backend.credit.store import Ground


def publish_ground(connection: Connection, city: str, new: Ground, *, by: str, now: datetime) -> None:
    store.publish_ground(connection, city, new, by, now)
    told = {"platform": new.platform, "document_number": new.document_number, "issuer": new.issuer, "by": by}
    record(connection, Act(What.CREDIT_GROUND_PUBLISHED, city, "credit-ground", str(new.version), now, after=told))


def publish_benefit(connection: Connection, city: str, new: Benefit, now: datetime) -> None:
    store.publish_benefit(connection, city, new, now)
    told = {"at_least": new.at_least, "title_zh": new.title_zh, "document_number": new.document_number}
    record(connection, Act(What.BENEFIT_PUBLISHED, city, "benefit", new.benefit, now, after=told))
