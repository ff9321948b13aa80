"""Roles: everything but migrations starts with SET ROLE, so that append-only is a grant and not a promise."""

from alembic import op
from sqlalchemy import text

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
    if missing and not may_create:
        owner = connection.scalar(text("SELECT quote_ident(current_user)"))
        lines = "\n".join(f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {owner};" for role in missing)
        message = (
            f"数据库用户 {owner} 无权创建角色，请管理员执行 / may not create roles; let an administrator run:\n{lines}"
        )
        raise RuntimeError(message)
    for role in missing:
        # Two databases of one cluster may be migrated at once; roles belong to the cluster.
        op.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    for role in ROLES:
        # One who may already SET ROLE is not granted it again: without ADMIN OPTION that would be refused.
        if not connection.scalar(text("SELECT pg_has_role(current_user, :role, 'SET')"), {"role": role}):
            op.execute(f"GRANT {role} TO CURRENT_USER")
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute(f"GRANT SELECT ON alembic_version TO {', '.join(ROLES)}")
