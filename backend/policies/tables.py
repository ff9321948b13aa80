from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, String, Table, UniqueConstraint

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

policy_versions = Table(
    "policy_versions",
    metadata,
    city_column(),
    text_column("policy", primary_key=True),
    Column("version_no", Integer, primary_key=True, autoincrement=False),
    id_column("version"),
    text_column("text"),
    Column("sha256", String(64), nullable=False),
    text_column("document_number"),
    instant_column("valid_from"),
    instant_column("valid_until"),
    instant_column("published_at"),
    text_column("published_by"),
    UniqueConstraint("city", "version"),
    UniqueConstraint("city", "policy", "valid_from"),
    CheckConstraint("version_no >= 1", name="number"),
    CheckConstraint("valid_until > valid_from", name="period"),
    CheckConstraint("document_number <> ''", name="document"),
)
"""Immutable by grant: INSERT and SELECT, no more. The stored text is the document as it was published, to the byte."""

policy_revisions = Table(
    "policy_revisions",
    metadata,
    city_column(),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint("revision >= 1", name="revision"),
)
"""Counts a city's publications, so that a process knows with one look whether its compiled policies are current."""
