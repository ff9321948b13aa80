from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, instant_column, text_column

device_claims = Table(
    "device_claims",
    metadata,
    Column("claim_hash", LargeBinary, primary_key=True),
    text_column("city"),
    text_column("store"),
    text_column("device"),
    text_column("replaces", nullable=True),
    instant_column("issued_at"),
    instant_column("expires_at"),
    instant_column("superseded_at", nullable=True),
    Column("keys_sha256", LargeBinary),
    text_column("hw_serial", nullable=True),
    instant_column("used_at", nullable=True),
    CheckConstraint("octet_length(claim_hash) = 32 AND octet_length(keys_sha256) = 32", name="sha256"),
    CheckConstraint("(used_at IS NULL) = (keys_sha256 IS NULL)", name="used"),
    CheckConstraint("expires_at > issued_at", name="period"),
)
"""Slots that a till may take. Found by the claim, which names no city."""

device_certificates = Table(
    "device_certificates",
    metadata,
    text_column("device", primary_key=True),
    Column("keys_sha256", LargeBinary, primary_key=True),
    text_column("key_id"),
    text_column("certificate"),
    instant_column("not_after"),
    instant_column("issued_at"),
    CheckConstraint("octet_length(keys_sha256) = 32", name="sha256"),
)
"""Every certificate that was given out, so that the same keys get the same one."""

device_boots = Table(
    "device_boots",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    text_column("stream", primary_key=True),
    text_column("boot", primary_key=True),
    Column("session", BigInteger, nullable=False),
    CheckConstraint("session >= 0", name="session"),
)
"""The latest session of each boot that a till told of."""

device_alarms = Table(
    "device_alarms",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    text_column("kind", primary_key=True),
    text_column("subject", primary_key=True),
    Column("times", Integer, nullable=False),
    instant_column("first_at"),
    instant_column("last_at"),
    CheckConstraint(
        "kind IN ('claim_reused', 'stream_conflict', 'stream_in_two_places', 'early_rotation', 'retired_key')",
        name="kind",
    ),
    CheckConstraint("times >= 1", name="times"),
)
"""What a person has to look at, once a device, kind and subject, with how often it was seen."""
