"""Roles: everything but migrations starts with SET ROLE, so that append-only is a grant and not a promise."""

from alembic import op
from sqlalchemy import text

from backend.storage.migrate import RolesNeeded

revision = "0001_roles"
down_revision = None
branch_labels = None
depends_on = None

ROLES = ("greenpoints_engine", "greenpoints_console", "greenpoints_auditor")


def upgrade() -> None:
    connection = op.get_bind()
    known = set(connection.scalars(text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'greenpoints\\_%'")))
    missing = [role for role in ROLES if role not in known]
    may_create = connection.scalar(text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"))
    not_ours = [role for role in ROLES if role in known and not _may(role, "SET")]
    refused = [role for role in not_ours if not _may(role, "MEMBER WITH ADMIN OPTION")]
    if refused or (missing and not may_create):
        owner = connection.scalar(text("SELECT quote_ident(current_user)"))
        wanted = {role: f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {owner};" for role in missing if not may_create}
        wanted |= {role: f"GRANT {role} TO {owner};" for role in refused}
        raise RolesNeeded(owner=owner, sql="\n".join(wanted[role] for role in ROLES if role in wanted))
    for role in missing:
        # Two databases of one cluster may be migrated at once; roles belong to the cluster.
        op.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    for role in ROLES:
        # One who may already SET ROLE is not granted it again: without ADMIN OPTION that would be refused.
        if not _may(role, "SET"):
            op.execute(f"GRANT {role} TO CURRENT_USER")
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute(f"GRANT SELECT ON alembic_version TO {', '.join(ROLES)}")


def _may(role: str, what: str) -> bool:
    asked = text("SELECT pg_has_role(current_user, :role, :what)")
    return bool(op.get_bind().scalar(asked, {"role": role, "what": what}))
