from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from backend.kernel.amounts import MAX_AMOUNT
from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

catalogue_versions = Table(
    "catalogue_versions",
    metadata,
    city_column(),
    text_column("entry", primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("withdrawn", Boolean, nullable=False),
    text_column("kind"),
    text_column("title_zh"),
    text_column("title_en"),
    text_column("text_zh"),
    text_column("text_en"),
    amount_column("points"),
    Column("pieces_max", Integer, nullable=False),
    amount_column("stock", nullable=True),
    Column("limit_pieces", Integer),
    Column("limit_period", Text),
    instant_column("starts_at"),
    instant_column("ends_at"),
    Column("hold_minutes", Integer, nullable=False),
    Column("at_till", Boolean, nullable=False),
    text_column("stores"),
    Column("voucher_days", Integer),
    Column("points_back", Boolean),
    Column("recipient", Text),
    Column("sha256", LargeBinary, nullable=False),
    text_column("published_by"),
    text_column("reason"),
    instant_column("published_at"),
    amount_column("shop_fen", nullable=True),
    CheckConstraint("shop_fen >= 1", name="shop_fen"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("kind IN ('service', 'voucher', 'donation')", name="kind"),
    CheckConstraint(f"points BETWEEN 1 AND {MAX_AMOUNT}", name="points"),
    CheckConstraint("pieces_max >= 1 AND (kind <> 'voucher' OR pieces_max = 1)", name="pieces"),
    CheckConstraint("stock >= 0", name="stock"),
    CheckConstraint("(limit_pieces IS NULL) = (limit_period IS NULL) AND limit_pieces >= 1", name="limit"),
    CheckConstraint("limit_period IN ('day', 'month', 'year', 'lifetime')", name="period"),
    CheckConstraint("ends_at > starts_at", name="time"),
    CheckConstraint("hold_minutes >= 1", name="hold"),
    CheckConstraint(
        "(kind = 'voucher') = (voucher_days IS NOT NULL) AND (kind = 'voucher') = (points_back IS NOT NULL)"
        " AND voucher_days >= 1",
        name="voucher",
    ),
    CheckConstraint("(kind = 'donation') = (recipient IS NOT NULL)", name="recipient"),
    CheckConstraint("NOT at_till OR kind = 'service'", name="at_till"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
)
"""Each version is also the record of who published it, when, why and with what content. `stores` is a JSON list."""

catalogue_entries = Table(
    "catalogue_entries",
    metadata,
    city_column(),
    text_column("entry", primary_key=True),
    Column("version", Integer, nullable=False),
    amount_column("stock", nullable=True),
    amount_column("taken"),
    CheckConstraint("taken >= 0", name="taken"),
    CheckConstraint("taken <= stock", name="stock"),
    postgresql_with={"fillfactor": "70"},
)
"""The version in force. `stock`: all pieces ever offered, NULL without end; `taken`: those held, confirmed or used."""

redemption_counters = Table(
    "redemption_counters",
    metadata,
    city_column(),
    id_column("person", primary_key=True),
    text_column("entry", primary_key=True),
    text_column("period", primary_key=True),
    Column("used", BigInteger, nullable=False),
    Column("allowed", BigInteger, nullable=False),
    CheckConstraint("used >= 0 AND used <= allowed", name="used"),
    postgresql_with={"fillfactor": "70"},
)
"""`allowed`: the limit of the version under which a piece was last taken."""

redemptions = Table(
    "redemptions",
    metadata,
    city_column(),
    id_column("redemption", primary_key=True),
    id_column("resident"),
    text_column("entry"),
    Column("version", Integer, nullable=False),
    Column("pieces", Integer, nullable=False),
    amount_column("points"),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("code_hash", LargeBinary),
    Column("period", Text),
    text_column("state"),
    instant_column("held_at"),
    instant_column("expires_at"),
    instant_column("settled_at", nullable=True),
    Column("service", Text),
    Column("store", Text),
    Column("use_key", Text),
    amount_column("lapsed", nullable=True),
    amount_column("repaid", nullable=True),
    instant_column("voided_at", nullable=True),
    Column("voided_by", Text),
    Column("approved_by", Text),
    Column("void_reason", Text),
    CheckConstraint("pieces >= 1 AND points >= pieces", name="amount"),
    CheckConstraint("state IN ('held', 'confirmed', 'cancelled', 'expired', 'voided')", name="state"),
    CheckConstraint("(state = 'held') = (settled_at IS NULL)", name="settled"),
    CheckConstraint("expires_at > held_at", name="time"),
    CheckConstraint("octet_length(request_sha256) = 32 AND octet_length(code_hash) = 32", name="sha256"),
    CheckConstraint(
        "(store IS NULL) = (service IS NULL) AND (store IS NULL) = (use_key IS NULL)"
        " AND (store IS NULL OR state IN ('confirmed', 'voided'))",
        name="store",
    ),
    CheckConstraint(
        "(state IN ('cancelled', 'expired', 'voided')) = (lapsed IS NOT NULL) AND (lapsed IS NULL) = (repaid IS NULL)"
        " AND lapsed >= 0 AND repaid >= 0 AND lapsed + repaid <= points",
        name="given_back",
    ),
    CheckConstraint(
        "(state = 'voided') = (voided_at IS NOT NULL) AND (voided_by IS NULL) = (approved_by IS NULL)"
        " AND (voided_by IS NULL) = (void_reason IS NULL) AND voided_by <> approved_by",
        name="voided",
    ),
    Index("ix_redemptions_resident", "city", "resident", "held_at", "redemption"),
    Index("ix_redemptions_held", "city", "expires_at", postgresql_where="state = 'held'"),
    Index("ix_redemptions_code", "city", "code_hash", postgresql_where="code_hash IS NOT NULL"),
    Index("ix_redemptions_open_code", "city", "code_hash", unique=True, postgresql_where="state = 'held'"),
    Index("ix_redemptions_use", "city", "service", "use_key", unique=True, postgresql_where="use_key IS NOT NULL"),
    postgresql_with={"fillfactor": "70"},
)
"""`lapsed` and `repaid`: what of the points given back was over by then, and what of that repaid a debt. A void without names
is that of a voucher that ended unused."""

vouchers = Table(
    "vouchers",
    metadata,
    city_column(),
    id_column("redemption", primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    text_column("state"),
    instant_column("issued_at"),
    instant_column("expires_at"),
    instant_column("ended_at", nullable=True),
    Column("service", Text),
    Column("store", Text),
    Column("use_key", Text),
    CheckConstraint("state IN ('issued', 'used', 'expired', 'void')", name="state"),
    CheckConstraint("(state = 'issued') = (ended_at IS NULL)", name="ended"),
    CheckConstraint(
        "(state = 'used') = (store IS NOT NULL) AND (store IS NULL) = (service IS NULL)"
        " AND (store IS NULL) = (use_key IS NULL)",
        name="used",
    ),
    CheckConstraint("expires_at > issued_at", name="time"),
    CheckConstraint("octet_length(code_hash) = 32", name="sha256"),
    Index("ix_vouchers_code", "city", "code_hash", unique=True),
    Index("ix_vouchers_issued", "city", "expires_at", postgresql_where="state = 'issued'"),
    Index("ix_vouchers_use", "city", "service", "use_key", unique=True, postgresql_where="use_key IS NOT NULL"),
    postgresql_with={"fillfactor": "70"},
)
"""One a redemption of its kind: an id alone names both."""
