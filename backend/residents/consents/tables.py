from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

consent_texts = Table(
    "consent_texts",
    metadata,
    city_column(),
    Column("sha256", LargeBinary, primary_key=True),
    text_column("purpose"),
    Column("version", Integer, nullable=False),
    Column("text_zh", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    instant_column("stored_at"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
)
"""Every text that anybody ever agreed to, word for word; written with the first agreement to it."""

consent_history = Table(
    "consent_history",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    text_column("purpose"),
    Column("given", Boolean, nullable=False),
    text_column("given_by"),
    Column("text_sha256", LargeBinary, nullable=False),
    instant_column("at"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("purpose IN ('notices', 'statistics', 'credit_passport', 'credit_export')", name="purpose"),
    CheckConstraint("given_by IN ('resident', 'age', 'guardian', 'closing')", name="given_by"),
    CheckConstraint("octet_length(text_sha256) = 32", name="sha256"),
)
"""Each giving and each withdrawal, append-only by grant; the last of a purpose is in force. Written with the resident's
row locked, so that whoever acts on an agreement and keeps that row acts on the last word."""

guardian_consents = Table(
    "guardian_consents",
    metadata,
    city_column(),
    id_column("ward", primary_key=True),
    id_column("resident"),
    text_column("guardian_city"),
    id_column("guardian"),
    Column("text_sha256", LargeBinary, nullable=False),
    instant_column("given_at"),
    instant_column("withdrawn_at", nullable=True),
    CheckConstraint("octet_length(text_sha256) = 32", name="sha256"),
    Index("ix_guardian_consents_resident", "city", "resident"),
    Index("ix_guardian_consents_guardian", "city", "guardian"),
)
"""City is the child's home; `ward` names the child to its guardian, and tells nothing else."""

counter_codes = Table(
    "counter_codes",
    metadata,
    city_column(),
    Column("code_hash", LargeBinary, primary_key=True),
    text_column("kind"),
    id_column("resident"),
    instant_column("expires_at"),
    CheckConstraint("kind IN ('guardian', 'age')", name="kind"),
    CheckConstraint("octet_length(code_hash) = 32", name="sha256"),
    Index("ix_counter_codes_resident", "city", "resident"),
)
"""What a resident reads out once to a guardian, or to an official at a counter: then that person may act for the account."""
