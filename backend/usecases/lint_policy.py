"""A document judged beside everything that its city has published, and by the register of certificates."""

from sqlalchemy import Connection

from backend.certificates.queries import category_names, scheme_ceilings
from backend.policies.lint import lint_text
from backend.policies.lint_finding import Finding, SchemeCeiling
from backend.policies.queries import policies_of


def lint_policy(connection: Connection, city: str, text: str | bytes) -> list[Finding]:
    """Every blocker and warning of `text`, were it published in `city` now. Reads only."""
    schemes = {code: SchemeCeiling(level, most) for code, (level, most) in scheme_ceilings(connection).items()}
    return lint_text(text, policies_of(connection, city), schemes, category_names(connection))
