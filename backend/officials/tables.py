from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

officials = Table(
    "officials",
    metadata,
    city_column(),
    id_column("official", primary_key=True),
    text_column("login"),
    text_column("name"),
    text_column("district", nullable=True),
    Column("roles", ARRAY(Text), nullable=False),
    text_column("password_hash", nullable=True),
    Column("password_change", Boolean, nullable=False),
    Column("factor_sealed", LargeBinary),
    Column("factor_step", BigInteger),
    text_column("sign_on_subject", nullable=True),
    text_column("retailer", nullable=True),
    instant_column("added_at"),
    text_column("added_by"),
    instant_column("disabled_at", nullable=True),
    CheckConstraint("cardinality(roles) BETWEEN 1 AND 8", name="roles"),
    CheckConstraint("NOT ('auditor' = ANY (roles)) OR cardinality(roles) = 1", name="auditor"),
    CheckConstraint("('province' = ANY (roles)) = (city LIKE '%0000')", name="province"),
    CheckConstraint(
        "NOT ('city_administrator' = ANY (roles)) OR NOT roles && ARRAY['approver', 'finance']", name="apart"
    ),
    CheckConstraint(
        "(retailer IS NULL AND NOT roles && ARRAY['shopkeeper', 'clerk'])"
        " OR (retailer IS NOT NULL AND roles <@ ARRAY['shopkeeper', 'clerk'] AND cardinality(roles) = 1"
        " AND district IS NULL AND sign_on_subject IS NULL)",
        name="staff",
    ),
    CheckConstraint("char_length(login) BETWEEN 2 AND 64", name="login"),
    CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
    Index("ix_officials_login", "city", "login", unique=True),
    Index("ix_officials_staff", "city", "retailer", "login", postgresql_where=text("retailer IS NOT NULL")),
)
"""Officials, and staff of retailers: whoever has a `retailer` holds one role in its shops and none of the city's.
`factor_sealed` is the secret of the second factor, `factor_step` the last 30 s step whose code was taken: none is taken
twice. `sign_on_subject`: who the city's own sign-on says it is; whoever is bound to one has no `password_hash`."""

official_directory = Table(
    "official_directory",
    metadata,
    text_column("login", primary_key=True),
    text_column("city"),
    id_column("official"),
)
"""Finds an official's city by the name that is typed at sign-in, which names no city."""

official_sessions = Table(
    "official_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    text_column("city"),
    id_column("official"),
    id_column("session"),
    text_column("stage"),
    text_column("at"),
    text_column("device", nullable=True),
    text_column("address", nullable=True),
    Column("offered_sealed", LargeBinary),
    instant_column("issued_at"),
    instant_column("proved_at"),
    instant_column("expires_at"),
    instant_column("ends_at"),
    instant_column("revoked_at", nullable=True),
    CheckConstraint("stage IN ('password', 'factor', 'full')", name="stage"),
    CheckConstraint("expires_at <= ends_at", name="ends"),
    CheckConstraint("char_length(device) BETWEEN 1 AND 80", name="device"),
    Index("ix_official_sessions_official", "city", "official"),
)
"""Opaque tokens by their SHA-256. `at` is the city looked at; `offered_sealed` a second factor that is being set up."""

official_devices = Table(
    "official_devices",
    metadata,
    Column("device_hash", LargeBinary, primary_key=True),
    text_column("city"),
    id_column("official"),
    instant_column("known_at"),
    Index("ix_official_devices_official", "city", "official"),
)
"""Browsers in which an official has signed in: failures elsewhere do not slow them down."""

official_tries = Table(
    "official_tries",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("failures", SmallInteger, nullable=False),
    instant_column("failed_at"),
    CheckConstraint("failures BETWEEN 1 AND 1000", name="failures"),
)
"""Failed sign-ins by a keyed hash of whom and whence; one success ends the row. What is a day old counts no more."""

official_changes = Table(
    "official_changes",
    metadata,
    city_column(),
    id_column("change", primary_key=True),
    text_column("kind"),
    id_column("official"),
    text_column("login"),
    text_column("name"),
    text_column("district", nullable=True),
    Column("roles", ARRAY(Text), nullable=False),
    text_column("reason"),
    text_column("asked_by"),
    instant_column("asked_at"),
    text_column("decided_by", nullable=True),
    instant_column("decided_at", nullable=True),
    Column("approved", Boolean),
    CheckConstraint("kind IN ('add', 'roles', 'enable', 'reset')", name="kind"),
    CheckConstraint("decided_by <> asked_by", name="two"),
    CheckConstraint("num_nulls(decided_by, decided_at, approved) IN (0, 3)", name="decided"),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 300", name="reason"),
    Index("ix_official_changes_waiting", "city", "asked_at", postgresql_where=text("decided_at IS NULL")),
)
"""What one administrator asked for and another has to approve. `asked_by`, `decided_by` are ids of officials."""
