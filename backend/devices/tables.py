from sqlalchemy import Boolean, CheckConstraint, Column, Index, LargeBinary, String, Table, false

from backend.storage.base import metadata
from backend.storage.columns import city_column, instant_column, text_column

device_directory = Table(
    "device_directory",
    metadata,
    text_column("device", primary_key=True),
    text_column("city"),
    text_column("store"),
    Column("district", String(6), nullable=False),
    text_column("state"),
    instant_column("enrolled_at"),
    instant_column("revoked_at", nullable=True),
    CheckConstraint("state IN ('active', 'revoked')", name="state"),
    CheckConstraint("(state = 'revoked') = (revoked_at IS NOT NULL)", name="revoked"),
    CheckConstraint("device ~ '^[a-z0-9-]{8,40}$'", name="device"),
    Index("ix_device_directory_store", "city", "store"),
)
"""Finds a till's city from its id; crosses cities by nature."""

device_keys = Table(
    "device_keys",
    metadata,
    text_column("device", primary_key=True),
    text_column("key_id", primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    instant_column("added_at"),
    instant_column("retires_at", nullable=True),
    CheckConstraint("octet_length(public_key) = 32", name="ed25519"),
)

device_reports = Table(
    "device_reports",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    text_column("kind", primary_key=True),
    text_column("report"),
    instant_column("received_at"),
    CheckConstraint("kind IN ('health', 'state', 'twin', 'job', 'res')", name="kind"),
)
"""The latest report of each kind, as JSON text; unsigned, so it informs and never counts."""

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    text_column("service"),
    text_column("name"),
    instant_column("issued_at"),
    instant_column("revoked_at", nullable=True),
    text_column("of_city", nullable=True),
    text_column("retailer", nullable=True),
    Column("of_before", Boolean, nullable=False, server_default=false()),
    CheckConstraint("service IN ('bridge', 'pos', 'metrics')", name="service"),
    CheckConstraint(
        "(of_city IS NULL) = (retailer IS NULL) AND (retailer IS NULL OR service = 'pos')", name="retailer"
    ),
    CheckConstraint("service <> 'pos' OR retailer IS NOT NULL OR of_before", name="bound"),
    Index("ix_service_tokens_retailer", "of_city", "retailer", "revoked_at", "issued_at"),
)
"""Bearer tokens of bridges and shop systems, by their SHA-256. `of_city` and `retailer`: in whose name a shop's system acts.
`of_before`: a shop's system got it before tokens named a retailer; no code sets it."""
