"""A retailer's manager issues and revokes the tokens of the retailer's own system: the console sees and writes those of shops'
systems of its city alone, never a hash, and no token of a bridge.

The previous release uses the engine's role alone here, which goes on to see all.
"""

from alembic import op

from backend.storage.row_security import CITY, raise_wall

revision = "0069_shop_tokens"
down_revision = "0067_lists_by_two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    raise_wall(op.get_bind(), "service_tokens", f"of_city = {CITY}")
    op.execute(
        "GRANT SELECT (service, name, issued_at, revoked_at, of_city, retailer), UPDATE (revoked_at),"
        " INSERT (token_hash, service, name, issued_at, of_city, retailer) ON service_tokens TO greenpoints_console"
    )
    op.create_index("ix_service_tokens_retailer", "service_tokens", ["of_city", "retailer", "revoked_at", "issued_at"])
