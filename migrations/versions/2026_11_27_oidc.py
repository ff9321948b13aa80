"""Officials who come by their city's own sign-on: the subject that an account is bound to."""

from alembic import op

revision = "0051_oidc"
down_revision = "0050_statistics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE officials ADD COLUMN sign_on_subject TEXT")
    op.execute("GRANT UPDATE (sign_on_subject) ON officials TO greenpoints_engine, greenpoints_console")
