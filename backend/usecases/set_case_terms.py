from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.cases import terms
from backend.cases.terms import CaseTerms


def set_case_terms(connection: Connection, city: str, given: CaseTerms, salt: bytes) -> None:
    """The clocks of reports and the share of awards that is drawn, from now on. Raises TermsRefused."""
    before = terms.in_force(connection, city)
    terms.set_terms(connection, city, given, salt)
    facts = None if before is None else _facts(before)
    record(
        connection,
        Act(
            What.CASE_TERMS_SET, city, "case-terms", city, given.since, given.reason, before=facts, after=_facts(given)
        ),
    )


def _facts(one: CaseTerms) -> dict[str, object]:
    return {"accept_days": one.accept_days, "decide_days": one.decide_days, "sample_bp": one.sample_bp}
