"""The core: ledger, policies, baskets and decisions, residents, stores, tills, messages to tills.

Append-only is a grant: the engine may INSERT and SELECT transfers, decisions and baskets, and change only the columns named
here. No foreign keys on the hot tables (they cost 2.5 times); the ledger's verification checks what they would.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_core"
down_revision = "0002_registry"
branch_labels = None
depends_on = None

ENGINE_WRITES = {
    "accounts": "INSERT, UPDATE (balance, version)",
    "transfers": "INSERT",
    "policy_versions": "INSERT",
    "policy_revisions": "INSERT, UPDATE (revision)",
    "baskets": "INSERT, UPDATE (resident)",
    "decisions": "INSERT",
    "cap_counters": "INSERT, UPDATE (used, allowed, version)",
    "unit_claims": "INSERT",
    "pending_products": "INSERT, UPDATE (resolved_at)",
    "quarantine": "INSERT",
    "residents": "INSERT, UPDATE (state)",
    "person_directory": "INSERT",
    "resident_sessions": "INSERT, UPDATE (revoked_at), DELETE",
    "member_codes": "INSERT, UPDATE (used_stream, used_seq), DELETE",
    "stores": "INSERT",
    "device_directory": "INSERT, UPDATE (state, revoked_at)",
    "device_keys": "INSERT",
    "device_reports": "INSERT, UPDATE (report, received_at)",
    "service_tokens": "INSERT, UPDATE (revoked_at)",
    "downlinks": "INSERT, DELETE",
}


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("right(account, length(unit) + 1) = ':' || unit", name=op.f("ck_accounts_address")),
        sa.CheckConstraint("unit IN ('points', 'fen', 'gco2e', 'evidence')", name=op.f("ck_accounts_unit")),
        sa.CheckConstraint("balance >= floor", name=op.f("ck_accounts_floor")),
        sa.PrimaryKeyConstraint("city", "account", name=op.f("pk_accounts")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "baskets",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("stream", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("claim_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("cashier", sa.Text(), nullable=True),
        sa.Column("void_of", sa.BigInteger(), nullable=True),
        sa.Column("part_of", sa.BigInteger(), nullable=True),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_quality", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("claim_sha256 IS NULL OR octet_length(claim_sha256) = 32", name=op.f("ck_baskets_claim")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_baskets_sha256")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_baskets_seq")),
        sa.PrimaryKeyConstraint("city", "basket", name=op.f("pk_baskets")),
    )
    op.create_index(
        "ix_baskets_claim",
        "baskets",
        ["city", "claim_sha256"],
        unique=False,
        postgresql_where="claim_sha256 IS NOT NULL",
    )
    op.create_index(
        "ix_baskets_resident",
        "baskets",
        ["city", "resident", "sold_at"],
        unique=False,
        postgresql_where="resident IS NOT NULL",
    )
    op.create_table(
        "cap_counters",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("person", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("cap", sa.Text(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0 AND used <= allowed", name=op.f("ck_cap_counters_within")),
        sa.PrimaryKeyConstraint("city", "person", "period", "cap", name=op.f("pk_cap_counters")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "decisions",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("label_key", sa.Text(), nullable=True),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("code_text", sa.Text(), nullable=True),
        sa.Column("symbology", sa.Text(), nullable=True),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certificate_row", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("certificate_scheme", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("grade", sa.SmallInteger(), nullable=True),
        sa.Column("tier", sa.SmallInteger(), nullable=True),
        sa.Column("level", sa.String(length=1), nullable=True),
        sa.Column("proof", sa.String(length=2), nullable=False),
        sa.Column("policy_version", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("award", sa.BigInteger(), nullable=False),
        sa.Column("limit_name", sa.Text(), nullable=True),
        sa.Column("limit_left", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(outcome = 'awarded') = (award > 0)", name=op.f("ck_decisions_outcome_award")),
        sa.CheckConstraint(
            "outcome IN ('awarded', 'none', 'pending_product', 'unclaimed', 'held')", name=op.f("ck_decisions_outcome")
        ),
        sa.CheckConstraint(
            "award = 0 OR (resident IS NOT NULL AND policy_version IS NOT NULL)",
            name=op.f("ck_decisions_award_has_owner"),
        ),
        sa.CheckConstraint("award >= 0 AND award <= gross", name=op.f("ck_decisions_award")),
        sa.CheckConstraint("decision_no >= 1", name=op.f("ck_decisions_number")),
        sa.CheckConstraint("line_no >= 0 AND line_no < 50", name=op.f("ck_decisions_line")),
        sa.CheckConstraint("price_fen >= 0", name=op.f("ck_decisions_price")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_decisions_quantity")),
        sa.PrimaryKeyConstraint("city", "basket", "line_no", "decision_no", name=op.f("pk_decisions")),
    )
    op.create_index(
        "ix_decisions_pending",
        "decisions",
        ["city", "label_key"],
        unique=False,
        postgresql_where="outcome = 'pending_product'",
    )
    op.create_table(
        "device_directory",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'revoked') = (revoked_at IS NOT NULL)", name=op.f("ck_device_directory_revoked")),
        sa.CheckConstraint("device ~ '^[a-z0-9-]{8,40}$'", name=op.f("ck_device_directory_device")),
        sa.CheckConstraint("state IN ('active', 'revoked')", name=op.f("ck_device_directory_state")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_device_directory")),
    )
    op.create_table(
        "device_keys",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_device_keys_ed25519")),
        sa.PrimaryKeyConstraint("device", "key_id", name=op.f("pk_device_keys")),
    )
    op.create_table(
        "device_reports",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('health', 'state', 'twin', 'job', 'res')", name=op.f("ck_device_reports_kind")),
        sa.PrimaryKeyConstraint("city", "device", "kind", name=op.f("pk_device_reports")),
    )
    op.create_table(
        "downlinks",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("message", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("retain", sa.Boolean(), nullable=False),
        sa.Column("expiry_s", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(payload) <= 65536", name=op.f("ck_downlinks_size")),
        sa.PrimaryKeyConstraint("city", "message", name=op.f("pk_downlinks")),
    )
    op.create_table(
        "member_codes",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_stream", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("used_seq", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(used_stream IS NULL) = (used_seq IS NULL)", name=op.f("ck_member_codes_used")),
        sa.CheckConstraint("octet_length(handle) = 16", name=op.f("ck_member_codes_handle")),
        sa.PrimaryKeyConstraint("city", "handle", name=op.f("pk_member_codes")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "pending_products",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("city", "key", name=op.f("pk_pending_products")),
    )
    op.create_table(
        "person_directory",
        sa.Column("identity_hash", sa.LargeBinary(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("identity_hash", name=op.f("pk_person_directory")),
    )
    op.create_table(
        "policy_revisions",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_policy_revisions_revision")),
        sa.PrimaryKeyConstraint("city", name=op.f("pk_policy_revisions")),
    )
    op.create_table(
        "policy_versions",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("version_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.CheckConstraint("document_number <> ''", name=op.f("ck_policy_versions_document")),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_policy_versions_period")),
        sa.CheckConstraint("version_no >= 1", name=op.f("ck_policy_versions_number")),
        sa.PrimaryKeyConstraint("city", "policy", "version_no", name=op.f("pk_policy_versions")),
        sa.UniqueConstraint("city", "policy", "valid_from", name=op.f("uq_policy_versions_city_policy_valid_from")),
        sa.UniqueConstraint("city", "version", name=op.f("uq_policy_versions_city_version")),
    )
    op.create_table(
        "quarantine",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("entry", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("city", "entry", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("city", "payload_sha256", "reason", name=op.f("uq_quarantine_city_payload_sha256_reason")),
    )
    op.create_table(
        "resident_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_resident_sessions")),
    )
    op.create_table(
        "residents",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'closed')", name=op.f("ck_residents_state")),
        sa.PrimaryKeyConstraint("city", "resident", name=op.f("pk_residents")),
    )
    op.create_table(
        "service_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("service IN ('bridge', 'pos', 'metrics')", name=op.f("ck_service_tokens_service")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_service_tokens")),
    )
    op.create_table(
        "stores",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("retailer", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city", "store", name=op.f("pk_stores")),
    )
    op.create_table(
        "transfers",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("reference", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason IN ('grant', 'award', 'reversal')", name=op.f("ck_transfers_reason")),
        sa.CheckConstraint("unit IN ('points', 'fen', 'gco2e', 'evidence')", name=op.f("ck_transfers_unit")),
        sa.CheckConstraint("amount > 0 AND amount <= 9007199254740991", name=op.f("ck_transfers_amount")),
        sa.CheckConstraint("source <> destination", name=op.f("ck_transfers_moves")),
        sa.CheckConstraint("step <> 0", name=op.f("ck_transfers_step")),
        sa.PrimaryKeyConstraint("city", "reference", "step", "line", name=op.f("pk_transfers")),
    )
    op.create_table(
        "unit_claims",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_unit_claims")),
    )
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
