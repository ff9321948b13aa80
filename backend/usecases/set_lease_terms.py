"""By which terms tills are lent a budget, as an official sets them."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.leases import queries, store
from backend.leases.lendable import check_terms
from backend.leases.model import EndedWhy, Terms
from backend.usecases.end_leases import end_leases
from backend.usecases.take_decisions import PolicyLookup


def set_lease_terms(
    connection: Connection, policies: PolicyLookup, city: str, terms: Terms, by: str, now: datetime
) -> None:
    """An amount of 0 lends nothing any more, and ends what is lent. Raises LeaseTermsInvalid."""
    check_terms(policies.lookup(connection, city), terms)
    before = next((one for one in queries.terms_of(connection, city) if one[:2] == terms[:2]), None)
    store.set_terms(connection, city, terms, by, now)
    if not terms.amount:
        end_leases(connection, city, now, EndedWhy.OFFICIAL, now, policy=terms.policy, unit=terms.unit)
    earlier, told = None if before is None else before._asdict(), {**terms._asdict(), "by": by}
    key = f"{terms.policy}:{terms.unit}"
    record(connection, Act(What.LEASE_TERMS_SET, city, "lease-terms", key, now, before=earlier, after=told))
