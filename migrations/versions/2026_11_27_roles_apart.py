"""Roles belong to the cluster, tables to a database: whoever has the roles for one database had them in every other.

PostgreSQL lets every login into every database unless told otherwise. Grants without INHERIT would not do: SET ROLE is what
all programs begin with, and it takes the role wherever its member may connect.
"""

from alembic import op

from backend.storage.migrate import close_to_others

revision = "0007_roles_apart"
down_revision = "0006_reads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    close_to_others(op.get_bind())
