"""Paper cards of residents without a smartphone, and the sales that each was shown for."""

from alembic import op

revision = "0031_cards"
down_revision = "0051_oidc"
branch_labels = None
depends_on = None

CARDS = """
CREATE TABLE member_cards (
  city TEXT NOT NULL,
  card UUID NOT NULL,
  number_hash BYTEA NOT NULL,
  secret_hash BYTEA NOT NULL,
  ending TEXT NOT NULL,
  resident UUID NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_by TEXT NOT NULL,
  blocked_at TIMESTAMP WITH TIME ZONE,
  blocked_why TEXT,
  tries SMALLINT NOT NULL,
  CONSTRAINT pk_member_cards PRIMARY KEY (city, card),
  CONSTRAINT uq_member_cards_city_number_hash UNIQUE (city, number_hash),
  CONSTRAINT ck_member_cards_hashes CHECK (octet_length(number_hash) = 32 AND octet_length(secret_hash) = 32),
  CONSTRAINT ck_member_cards_ending CHECK (char_length(ending) = 4),
  CONSTRAINT ck_member_cards_blocked CHECK ((blocked_at IS NULL) = (blocked_why IS NULL)),
  CONSTRAINT ck_member_cards_why CHECK (blocked_why IN ('lost', 'replaced')),
  CONSTRAINT ck_member_cards_tries CHECK (tries BETWEEN 0 AND 5)
)"""

USES = """
CREATE TABLE card_uses (
  city TEXT NOT NULL,
  card UUID NOT NULL,
  stream UUID NOT NULL,
  seq BIGINT NOT NULL,
  day DATE NOT NULL,
  place SMALLINT NOT NULL,
  CONSTRAINT pk_card_uses PRIMARY KEY (city, card, stream, seq),
  CONSTRAINT uq_card_uses_city_card_day_place UNIQUE (city, card, day, place),
  CONSTRAINT ck_card_uses_place CHECK (place BETWEEN 1 AND 50)
)"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (CARDS, USES, "CREATE INDEX ix_member_cards_resident ON member_cards (city, resident, issued_at)"):
        op.execute(statement)
    op.execute(
        "GRANT SELECT, INSERT, DELETE, UPDATE (resident, blocked_at, blocked_why, tries) ON member_cards TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON card_uses TO greenpoints_engine")
    op.execute("GRANT SELECT ON member_cards TO greenpoints_console, greenpoints_auditor")
    op.execute("GRANT SELECT ON card_uses TO greenpoints_console, greenpoints_auditor")
