from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column


def _recorded_version() -> Column[int]:
    """The registry version in which the row was recorded. Rows are never changed: what version N knew are its rows up
    to N, later ones winning.
    """
    return Column("recorded_version", BigInteger, ForeignKey("registry_changes.version"), nullable=False)


def _within(name: str, low: int, high: int) -> CheckConstraint:
    return CheckConstraint(f"{name} BETWEEN {low} AND {high}", name=name)


def _present(name: str, limit: int) -> CheckConstraint:
    return CheckConstraint(f"length({name}) BETWEEN 1 AND {limit}", name=name)


def _period(start: str, end: str) -> CheckConstraint:
    """Half-open civil dates in Asia/Shanghai; an open end is NULL."""
    return CheckConstraint(f"{end} > {start}", name="period")


registry_version = Table(
    "registry_version",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False),
    instant_column("recorded_at"),
    CheckConstraint("one", name="one"),
    CheckConstraint("version >= 0", name="version"),
)

import_batches = Table(
    "import_batches",
    metadata,
    id_column("id", primary_key=True),
    text_column("source"),
    Column("sha256", LargeBinary, nullable=False),
    text_column("file_name"),
    instant_column("imported_at"),
    text_column("imported_by"),
    Column("rows_changed", Integer, nullable=False),
    Column("rows_unchanged", Integer, nullable=False),
    Column("rows_refused", Integer, nullable=False),
    UniqueConstraint("sha256"),
    _present("source", 100),
    _present("file_name", 255),
    _present("imported_by", 100),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("rows_changed >= 0 AND rows_unchanged >= 0 AND rows_refused >= 0", name="rows"),
)

registry_changes = Table(
    "registry_changes",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    instant_column("recorded_at"),
    text_column("cause"),
    Column("batch", id_column("id").type, ForeignKey("import_batches.id")),
    text_column("recorded_by"),
    text_column("reason", nullable=True),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint("cause IN ('import', 'state', 'recognition')", name="cause"),
    CheckConstraint("(cause = 'import') = (batch IS NOT NULL)", name="batch"),
    _present("recorded_by", 100),
    _present("reason", 500),
)

schemes = Table(
    "schemes",
    metadata,
    text_column("code", primary_key=True),
    text_column("name_zh"),
    text_column("name_en"),
    Column("level", String(1), nullable=False),
    Column("max_rate_bp", Integer, nullable=False),
    Column("activity", SmallInteger),
    Column("tiers", SmallInteger),
    Column("valid_from_on", Date),
    Column("valid_until_on", Date),
    Column("successor", text_column("code").type, ForeignKey("schemes.code")),
    text_column("document", nullable=True),
    CheckConstraint("code ~ '^[a-z][a-z0-9_]{1,39}$'", name="code"),
    _present("name_zh", 100),
    _present("name_en", 100),
    CheckConstraint("level IN ('U', 'M', 'E', 'S')", name="level"),
    _within("max_rate_bp", 0, 10_000),
    _within("activity", 1, 3),
    _within("tiers", 1, 3),
    _period("valid_from_on", "valid_until_on"),
    CheckConstraint("successor <> code", name="successor"),
)

bodies = Table(
    "bodies",
    metadata,
    text_column("code", primary_key=True),
    text_column("serial", nullable=True),
    text_column("name_zh"),
    text_column("name_en", nullable=True),
    Column("approved_from_on", Date),
    Column("approved_until_on", Date),
    text_column("scope", nullable=True),
    CheckConstraint("code ~ '^[0-9A-Z][0-9A-Z-]{1,39}$'", name="code"),
    CheckConstraint("serial ~ '^[0-9]{2,4}$'", name="serial"),
    _present("name_zh", 200),
    _period("approved_from_on", "approved_until_on"),
)

enterprises = Table(
    "enterprises",
    metadata,
    text_column("uscc", primary_key=True),
    text_column("name"),
    Column("region", String(6), nullable=False),
    CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$'", name="uscc"),
    CheckConstraint("region = substr(uscc, 3, 6)", name="region"),
    _present("name", 200),
    Index("ix_enterprises_name", "name"),
)

certificates = Table(
    "certificates",
    metadata,
    id_column("id", primary_key=True),
    text_column("body"),
    text_column("number"),
    text_column("scheme"),
    _recorded_version(),
    UniqueConstraint("number", "body"),
    ForeignKeyConstraint(["body"], ["bodies.code"]),
    ForeignKeyConstraint(["scheme"], ["schemes.code"]),
    CheckConstraint("number ~ '^[0-9A-Z][0-9A-Z/-]{3,59}$'", name="number"),
)

certificate_terms = Table(
    "certificate_terms",
    metadata,
    id_column("id", primary_key=True),
    id_column("certificate"),
    Column("valid_from_on", Date, nullable=False),
    Column("valid_until_on", Date),
    text_column("holder"),
    text_column("enterprise", nullable=True),
    _recorded_version(),
    UniqueConstraint("certificate", "valid_from_on", "recorded_version", name="uq_certificate_terms_row"),
    ForeignKeyConstraint(["certificate"], ["certificates.id"]),
    ForeignKeyConstraint(["enterprise"], ["enterprises.uscc"]),
    _period("valid_from_on", "valid_until_on"),
    _present("holder", 200),
    Index("ix_certificate_terms_version", "recorded_version", "certificate"),
    Index("ix_certificate_terms_enterprise", "enterprise", postgresql_where="enterprise IS NOT NULL"),
)

certificate_states = Table(
    "certificate_states",
    metadata,
    id_column("id", primary_key=True),
    id_column("certificate"),
    text_column("state"),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date),
    text_column("reason", nullable=True),
    _recorded_version(),
    UniqueConstraint("certificate", "from_on", "recorded_version", name="uq_certificate_states_row"),
    ForeignKeyConstraint(["certificate"], ["certificates.id"]),
    CheckConstraint("state IN ('valid', 'suspended', 'withdrawn', 'expired', 'cancelled')", name="state"),
    _period("from_on", "until_on"),
    _present("reason", 500),
    Index("ix_certificate_states_version", "recorded_version", "certificate"),
)

certified_products = Table(
    "certified_products",
    metadata,
    id_column("id", primary_key=True),
    text_column("registry_key"),
    id_column("certificate"),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date),
    Column("listed", Boolean, nullable=False),
    text_column("product"),
    text_column("model", nullable=True),
    text_column("category", nullable=True),
    Column("grade", SmallInteger),
    Column("tier", SmallInteger),
    _recorded_version(),
    UniqueConstraint("registry_key", "certificate", "from_on", "recorded_version", name="uq_certified_products_row"),
    ForeignKeyConstraint(["certificate"], ["certificates.id"]),
    CheckConstraint("registry_key ~ '^[a-z][a-z0-9_]*:.' AND length(registry_key) <= 300", name="registry_key"),
    _period("from_on", "until_on"),
    _present("product", 200),
    _present("model", 200),
    _present("category", 100),
    _within("grade", 1, 5),
    _within("tier", 1, 3),
    Index(None, "certificate"),
    Index("ix_certified_products_product", "product"),
    Index("ix_certified_products_category", "category", postgresql_where="category IS NOT NULL"),
)

certificate_months = Table(
    "certificate_months",
    metadata,
    Column("region", String(6), primary_key=True),
    text_column("scheme", primary_key=True),
    Column("month", Date, primary_key=True),
    Column("delta", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False),
    CheckConstraint("region ~ '^[0-9]{6}$'", name="region"),
    CheckConstraint("extract(day FROM month) = 1", name="month"),
    CheckConstraint("added >= 0 AND withdrawn >= 0 AND expired >= 0", name="moves"),
)
"""By how much each month changes the number of valid certificates, as known now; also months to come, in which known
certificates expire."""

certificates_counted = Table(
    "certificates_counted",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False),
    id_column("after", nullable=True),
    CheckConstraint("one", name="one"),
    CheckConstraint("version >= 0", name="version"),
)
"""Up to which version of the registry they are counted; `after`: the last certificate counted of the next version."""

recognitions = Table(
    "recognitions",
    metadata,
    id_column("id", primary_key=True),
    text_column("from_scheme"),
    text_column("to_scheme"),
    Column("region", String(6), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date),
    text_column("document"),
    _recorded_version(),
    UniqueConstraint("from_scheme", "to_scheme", "region", "from_on", "recorded_version", name="uq_recognitions_row"),
    ForeignKeyConstraint(["from_scheme"], ["schemes.code"]),
    ForeignKeyConstraint(["to_scheme"], ["schemes.code"]),
    CheckConstraint("from_scheme <> to_scheme", name="distinct"),
    CheckConstraint("region ~ '^[0-9]{6}$'", name="region"),
    _period("from_on", "until_on"),
    _present("document", 200),
)

registry_uploads = Table(
    "registry_uploads",
    metadata,
    city_column(),
    id_column("upload", primary_key=True),
    text_column("file_name"),
    text_column("source"),
    Column("content", LargeBinary),
    Column("size_bytes", Integer, nullable=False),
    text_column("uploaded_by"),
    text_column("uploaded_name"),
    instant_column("uploaded_at"),
    text_column("state"),
    text_column("stage", nullable=True),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    instant_column("moved_at"),
    text_column("report", nullable=True),
    CheckConstraint("char_length(file_name) BETWEEN 1 AND 255 AND char_length(source) BETWEEN 1 AND 100", name="names"),
    CheckConstraint(
        "state IN ('to_check', 'checking', 'checked', 'to_import', 'importing', 'imported', 'refused')", name="state"
    ),
    CheckConstraint(
        "(content IS NULL) = (state IN ('imported', 'refused')) AND octet_length(content) <= 52428800", name="content"
    ),
    CheckConstraint("done >= 0 AND total >= 0", name="progress"),
    Index("ix_registry_uploads_at", "city", "uploaded_at", "upload"),
    Index(
        "ix_registry_uploads_waiting",
        "city",
        "upload",
        postgresql_where="state IN ('to_check', 'checking', 'to_import', 'importing')",
    ),
)
"""Files that officials of a city want in the registry, on their way; `report` is what a check or the import said, as JSON.
The content goes when it is no longer needed."""

enterprise_listings = Table(
    "enterprise_listings",
    metadata,
    id_column("id", primary_key=True),
    text_column("list"),
    text_column("uscc"),
    text_column("document"),
    text_column("authority"),
    Column("listed_on", Date, nullable=False),
    Column("removed_on", Date),
    text_column("removal_document", nullable=True),
    text_column("source"),
    instant_column("recorded_at"),
    text_column("recorded_by"),
    text_column("approved_by", nullable=True),
    CheckConstraint("approved_by <> recorded_by", name="two"),
    CheckConstraint("list IN ('serious', 'abnormal')", name="list"),
    CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$'", name="uscc"),
    CheckConstraint(
        "char_length(document) BETWEEN 1 AND 200 AND char_length(authority) BETWEEN 1 AND 200"
        " AND char_length(removal_document) BETWEEN 1 AND 200 AND char_length(source) BETWEEN 1 AND 100",
        name="texts",
    ),
    CheckConstraint("removed_on >= listed_on", name="period"),
    Index("ix_enterprise_listings_uscc", "uscc", "list", "document", "listed_on", "id"),
)
"""Official lists of enterprises, as they were imported: of one listing (list, code, document, day) the last row counts.
`approved_by`: the second person; empty only in what was imported before lists took two."""

listing_files = Table(
    "listing_files",
    metadata,
    city_column(),
    id_column("file", primary_key=True),
    text_column("file_name"),
    text_column("source"),
    Column("content", LargeBinary),
    Column("sha256", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    text_column("report"),
    text_column("state"),
    text_column("proposed_by"),
    text_column("proposed_name"),
    instant_column("proposed_at"),
    text_column("judged_by", nullable=True),
    instant_column("judged_at", nullable=True),
    CheckConstraint("char_length(file_name) BETWEEN 1 AND 255 AND char_length(source) BETWEEN 1 AND 100", name="names"),
    CheckConstraint("state IN ('proposed', 'imported', 'refused')", name="state"),
    CheckConstraint("(content IS NULL) = (state <> 'proposed') AND octet_length(content) <= 52428800", name="content"),
    CheckConstraint("octet_length(sha256) = 32 AND octet_length(digest) = 32", name="digests"),
    CheckConstraint(
        "(judged_by IS NULL) = (state = 'proposed') AND (judged_by IS NULL) = (judged_at IS NULL)", name="judged"
    ),
    CheckConstraint("state <> 'imported' OR judged_by <> proposed_by", name="two"),
    Index("ix_listing_files_once", "city", "sha256", unique=True, postgresql_where="state = 'proposed'"),
    Index("ix_listing_files_open", "city", "proposed_at", "file", postgresql_where="state = 'proposed'"),
)
"""Official lists that one official of a city proposes: `digest` is of all that the file would change, `report` shows it."""
