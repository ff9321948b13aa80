from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

passport_statements = Table(
    "passport_statements",
    metadata,
    city_column(),
    id_column("statement", primary_key=True),
    id_column("resident"),
    text_column("kind"),
    Column("at_least", Integer, nullable=False),
    instant_column("since"),
    instant_column("issued_at"),
    instant_column("expires_at"),
    Column("place", Integer, nullable=False),
    instant_column("revoked_at", nullable=True),
    text_column("revoked_why", nullable=True),
    CheckConstraint("kind = 'verified_green_purchases'", name="kind"),
    CheckConstraint("at_least >= 1", name="positive"),
    CheckConstraint("expires_at <= since + interval '24 months'", name="ages_out"),
    CheckConstraint("place >= 0 AND place < 1048576", name="place"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_why IS NULL)", name="revoked"),
    CheckConstraint("revoked_why IN ('resident', 'withdrawn', 'returned', 'closing')", name="why"),
    UniqueConstraint("city", "place"),
    Index("ix_passport_statements_resident", "city", "resident"),
)
"""Nothing negative can stand here: a statement is that at least so many purchases were verified, and no other. City is the
resident's home."""

passport_benefits = Table(
    "passport_benefits",
    metadata,
    city_column(),
    text_column("benefit", primary_key=True),
    Column("at_least", Integer, nullable=False),
    text_column("title_zh"),
    text_column("title_en"),
    text_column("recipient"),
    text_column("document_number"),
    Column("document_url", Text, nullable=False),
    instant_column("published_at"),
    CheckConstraint("at_least >= 1", name="positive"),
)
"""What a city opens to whoever shows a statement, by which document."""

passport_grounds = Table(
    "passport_grounds",
    metadata,
    city_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    text_column("platform"),
    text_column("contact"),
    text_column("document_number"),
    text_column("issuer"),
    Column("published_on", Date, nullable=False),
    Column("document_url", Text, nullable=False),
    text_column("published_by"),
    instant_column("published_at"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("platform <> '' AND contact <> '' AND document_number <> ''", name="told"),
)
"""The published legal basis on which a city may send statements to its credit platform; the newest is in force."""

credit_exports = Table(
    "credit_exports",
    metadata,
    city_column(),
    id_column("export", primary_key=True),
    id_column("resident"),
    text_column("act"),
    id_column("about", nullable=True),
    id_column("statement", nullable=True),
    Column("subject", LargeBinary),
    Column("at_least", Integer),
    Column("ground", Integer, nullable=False),
    instant_column("expires_at", nullable=True),
    instant_column("created_at"),
    instant_column("due_at"),
    Column("attempts", Integer, nullable=False),
    instant_column("sent_at", nullable=True),
    instant_column("cancelled_at", nullable=True),
    CheckConstraint("act IN ('state', 'erase')", name="act"),
    CheckConstraint("(act = 'erase') = (about IS NOT NULL)", name="about"),
    CheckConstraint("(act = 'state') = (at_least IS NOT NULL AND statement IS NOT NULL)", name="state"),
    CheckConstraint("at_least >= 1", name="positive"),
    CheckConstraint("act = 'state' OR subject IS NULL", name="erase_names_nobody"),
    CheckConstraint("sent_at IS NULL OR cancelled_at IS NULL", name="ended"),
    UniqueConstraint("city", "about"),
    Index("ix_credit_exports_due", "city", "due_at", postgresql_where="sent_at IS NULL AND cancelled_at IS NULL"),
    Index("ix_credit_exports_resident", "city", "resident"),
)
"""What is to be sent to the city's platform, in the transaction that read the consent; `export` is the receiver's key. An
erasure names the export that it is about, and no person. `subject` is made with the person's key, and gone with it."""
