"""What points are good for: a catalogue with stock and limits, and redemptions that are held before they are spent.

Points that are held or given away move for reasons of their own.
"""

from alembic import op

revision = "0033_redemptions"
down_revision = "0026_watches"
branch_labels = None
depends_on = None

REASONS = (
    "'grant', 'award', 'reversal', 'release', 'collect', 'lapse', 'expiry', 'repay', 'redemption', 'hold', 'donation',"
    " 'return', 'reclaim', 'reserve', 'unreserve', 'reinstate'"
)

CATALOGUE_VERSIONS = """
CREATE TABLE catalogue_versions (
  city TEXT NOT NULL,
  entry TEXT NOT NULL,
  version INTEGER NOT NULL,
  withdrawn BOOLEAN NOT NULL,
  kind TEXT NOT NULL,
  title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL,
  text_zh TEXT NOT NULL,
  text_en TEXT NOT NULL,
  points BIGINT NOT NULL,
  pieces_max INTEGER NOT NULL,
  stock BIGINT,
  limit_pieces INTEGER,
  limit_period TEXT,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  hold_minutes INTEGER NOT NULL,
  at_till BOOLEAN NOT NULL,
  stores TEXT NOT NULL,
  voucher_days INTEGER,
  points_back BOOLEAN,
  recipient TEXT,
  sha256 BYTEA NOT NULL,
  published_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_catalogue_versions PRIMARY KEY (city, entry, version),
  CONSTRAINT ck_catalogue_versions_version CHECK (version >= 1),
  CONSTRAINT ck_catalogue_versions_kind CHECK (kind IN ('service', 'voucher', 'donation')),
  CONSTRAINT ck_catalogue_versions_points CHECK (points BETWEEN 1 AND 9007199254740991),
  CONSTRAINT ck_catalogue_versions_pieces CHECK (pieces_max >= 1 AND (kind <> 'voucher' OR pieces_max = 1)),
  CONSTRAINT ck_catalogue_versions_stock CHECK (stock >= 0),
  CONSTRAINT ck_catalogue_versions_limit CHECK ((limit_pieces IS NULL) = (limit_period IS NULL) AND limit_pieces >= 1),
  CONSTRAINT ck_catalogue_versions_period CHECK (limit_period IN ('day', 'month', 'year', 'lifetime')),
  CONSTRAINT ck_catalogue_versions_time CHECK (ends_at > starts_at),
  CONSTRAINT ck_catalogue_versions_hold CHECK (hold_minutes >= 1),
  CONSTRAINT ck_catalogue_versions_voucher CHECK ((kind = 'voucher') = (voucher_days IS NOT NULL)
    AND (kind = 'voucher') = (points_back IS NOT NULL) AND voucher_days >= 1),
  CONSTRAINT ck_catalogue_versions_recipient CHECK ((kind = 'donation') = (recipient IS NOT NULL)),
  CONSTRAINT ck_catalogue_versions_at_till CHECK (NOT at_till OR kind = 'service'),
  CONSTRAINT ck_catalogue_versions_sha256 CHECK (octet_length(sha256) = 32)
)"""

CATALOGUE_ENTRIES = """
CREATE TABLE catalogue_entries (
  city TEXT NOT NULL,
  entry TEXT NOT NULL,
  version INTEGER NOT NULL,
  stock BIGINT,
  taken BIGINT NOT NULL,
  CONSTRAINT pk_catalogue_entries PRIMARY KEY (city, entry),
  CONSTRAINT ck_catalogue_entries_taken CHECK (taken >= 0),
  CONSTRAINT ck_catalogue_entries_stock CHECK (taken <= stock)
) WITH (fillfactor = 70)"""

REDEMPTION_COUNTERS = """
CREATE TABLE redemption_counters (
  city TEXT NOT NULL,
  person UUID NOT NULL,
  entry TEXT NOT NULL,
  period TEXT NOT NULL,
  used BIGINT NOT NULL,
  allowed BIGINT NOT NULL,
  CONSTRAINT pk_redemption_counters PRIMARY KEY (city, person, entry, period),
  CONSTRAINT ck_redemption_counters_used CHECK (used >= 0 AND used <= allowed)
) WITH (fillfactor = 70)"""

REDEMPTIONS = """
CREATE TABLE redemptions (
  city TEXT NOT NULL,
  redemption UUID NOT NULL,
  resident UUID NOT NULL,
  entry TEXT NOT NULL,
  version INTEGER NOT NULL,
  pieces INTEGER NOT NULL,
  points BIGINT NOT NULL,
  request_sha256 BYTEA NOT NULL,
  code_hash BYTEA,
  period TEXT,
  state TEXT NOT NULL,
  held_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  service TEXT,
  store TEXT,
  use_key TEXT,
  lapsed BIGINT,
  repaid BIGINT,
  voided_at TIMESTAMP WITH TIME ZONE,
  voided_by TEXT,
  approved_by TEXT,
  void_reason TEXT,
  CONSTRAINT pk_redemptions PRIMARY KEY (city, redemption),
  CONSTRAINT ck_redemptions_amount CHECK (pieces >= 1 AND points >= pieces),
  CONSTRAINT ck_redemptions_state CHECK (state IN ('held', 'confirmed', 'cancelled', 'expired', 'voided')),
  CONSTRAINT ck_redemptions_settled CHECK ((state = 'held') = (settled_at IS NULL)),
  CONSTRAINT ck_redemptions_time CHECK (expires_at > held_at),
  CONSTRAINT ck_redemptions_sha256 CHECK (octet_length(request_sha256) = 32 AND octet_length(code_hash) = 32),
  CONSTRAINT ck_redemptions_store CHECK ((store IS NULL) = (service IS NULL) AND (store IS NULL) = (use_key IS NULL)
    AND (store IS NULL OR state IN ('confirmed', 'voided'))),
  CONSTRAINT ck_redemptions_given_back CHECK ((state IN ('cancelled', 'expired', 'voided')) = (lapsed IS NOT NULL)
    AND (lapsed IS NULL) = (repaid IS NULL) AND lapsed >= 0 AND repaid >= 0 AND lapsed + repaid <= points),
  CONSTRAINT ck_redemptions_voided CHECK ((state = 'voided') = (voided_at IS NOT NULL)
    AND (voided_by IS NULL) = (approved_by IS NULL) AND (voided_by IS NULL) = (void_reason IS NULL)
    AND voided_by <> approved_by)
) WITH (fillfactor = 70)"""

INDEXES = (
    "CREATE INDEX ix_redemptions_resident ON redemptions (city, resident, held_at, redemption)",
    "CREATE INDEX ix_redemptions_held ON redemptions (city, expires_at) WHERE state = 'held'",
    "CREATE INDEX ix_redemptions_code ON redemptions (city, code_hash) WHERE code_hash IS NOT NULL",
    "CREATE UNIQUE INDEX ix_redemptions_open_code ON redemptions (city, code_hash) WHERE state = 'held'",
    "CREATE UNIQUE INDEX ix_redemptions_use ON redemptions (city, service, use_key) WHERE use_key IS NOT NULL",
)

ENGINE_WRITES = {
    "catalogue_versions": "INSERT",
    "catalogue_entries": "INSERT, UPDATE (version, stock, taken)",
    "redemption_counters": "INSERT, UPDATE (used, allowed)",
    "redemptions": "INSERT, UPDATE (state, settled_at, service, store, use_key, lapsed, repaid, voided_at, voided_by,"
    " approved_by, void_reason)",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (CATALOGUE_VERSIONS, CATALOGUE_ENTRIES, REDEMPTION_COUNTERS, REDEMPTIONS, *INDEXES):
        op.execute(statement)
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
    op.execute("ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_reason")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason CHECK (reason IN ({REASONS})) NOT VALID")
    # The ledger may be long: it is read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")
