"""The ledger's log: an entry for each transfer, hashes of its tree, where it ends, and the checkpoints that were signed.

Adds tables and an index. The previous release seals nothing; what it posts gets its entries from the next release.
"""

from alembic import op

revision = "0040_checkpoints"
down_revision = "0027_leases_extended"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE log_entries (
  city TEXT NOT NULL,
  entry BIGINT NOT NULL,
  reference UUID NOT NULL,
  step SMALLINT NOT NULL,
  line SMALLINT NOT NULL,
  leaf BYTEA NOT NULL,
  chain BYTEA NOT NULL,
  CONSTRAINT pk_log_entries PRIMARY KEY (city, entry),
  CONSTRAINT uq_log_entries_city_reference_step_line UNIQUE (city, reference, step, line),
  CONSTRAINT ck_log_entries_entry CHECK (entry >= 0),
  CONSTRAINT ck_log_entries_hashes CHECK (length(leaf) = 32 AND length(chain) = 32)
)""",
    """
CREATE TABLE log_subtrees (
  city TEXT NOT NULL,
  level SMALLINT NOT NULL,
  number BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  CONSTRAINT pk_log_subtrees PRIMARY KEY (city, level, number),
  CONSTRAINT ck_log_subtrees_place CHECK (level >= 1 AND number >= 0),
  CONSTRAINT ck_log_subtrees_hashes CHECK (length(hash) = 32)
)""",
    """
CREATE TABLE log_heads (
  city TEXT NOT NULL,
  size BIGINT NOT NULL,
  frontier BYTEA NOT NULL,
  chain BYTEA NOT NULL,
  sealed_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_log_heads PRIMARY KEY (city),
  CONSTRAINT ck_log_heads_size CHECK (size >= 0),
  CONSTRAINT ck_log_heads_hashes CHECK (length(frontier) % 32 = 0 AND length(chain) = 32)
)""",
    """
CREATE TABLE checkpoints (
  city TEXT NOT NULL,
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  note TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_checkpoints PRIMARY KEY (city, size),
  CONSTRAINT ck_checkpoints_size CHECK (size > 0),
  CONSTRAINT ck_checkpoints_hashes CHECK (length(root) = 32)
)""",
)
ENGINE_WRITES = {
    "log_entries": "INSERT",
    "log_subtrees": "INSERT",
    "log_heads": "INSERT, UPDATE (size, frontier, chain, sealed_until)",
    "checkpoints": "INSERT",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in TABLES:
        op.execute(statement)
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_transfers_recorded",
            "transfers",
            ["city", "recorded_at"],
            if_not_exists=True,
            postgresql_concurrently=True,
            postgresql_using="brin",
        )
