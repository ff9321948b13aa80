from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Uuid,
)

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

residents = Table(
    "residents",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    text_column("state"),
    instant_column("joined_at"),
    text_column("age_band", nullable=True),
    text_column("age_basis", nullable=True),
    Column("waits_for_guardian", Boolean, nullable=False, server_default="false"),
    Column("absorbed", ARRAY(Uuid(as_uuid=False)), nullable=False, server_default="{}"),
    CheckConstraint("state IN ('active', 'closed')", name="state"),
    CheckConstraint("age_band IN ('under_14', '14_to_17', 'adult')", name="age_band"),
    CheckConstraint("age_basis IN ('declared', 'verified')", name="age_basis"),
    CheckConstraint("(age_band IS NULL) = (age_basis IS NULL)", name="age"),
    CheckConstraint("NOT waits_for_guardian OR age_band = 'under_14'", name="guardian"),
)

person_directory = Table(
    "person_directory",
    metadata,
    Column("identity_hash", LargeBinary, primary_key=True),
    text_column("city"),
    id_column("resident"),
)
"""Finds a person's home city from a keyed hash of an outside identity; crosses cities by nature."""

merged_residents = Table(
    "merged_residents",
    metadata,
    id_column("absorbed", primary_key=True),
    text_column("absorbed_home"),
    id_column("survivor"),
    text_column("home"),
    id_column("merge"),
    instant_column("merged_at"),
    CheckConstraint("absorbed <> survivor", name="two"),
    Index("ix_merged_residents_survivor", "survivor"),
)
"""Residents who are another one by now: two accounts of one person that were merged. `home` is the survivor's, `merge` the
reference of the postings that moved the value. A survivor absorbs all that it had absorbed: one look-up is enough."""

resident_sessions = Table(
    "resident_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    text_column("city"),
    id_column("resident"),
    id_column("session"),
    text_column("way"),
    text_column("device", nullable=True),
    instant_column("issued_at"),
    instant_column("expires_at"),
    instant_column("ends_at"),
    instant_column("revoked_at", nullable=True),
    CheckConstraint("way IN ('wechat', 'phone', 'development')", name="way"),
    CheckConstraint("expires_at <= ends_at", name="ends"),
    CheckConstraint("char_length(device) BETWEEN 1 AND 40", name="device"),
    Index("ix_resident_sessions_resident", "city", "resident"),
)
"""Opaque tokens by their SHA-256. The token names no city, so its row is found across cities. `expires_at` moves on while
the session is used; `session` is its name in the resident's list, and opens nothing."""

phone_codes = Table(
    "phone_codes",
    metadata,
    Column("phone_hash", LargeBinary, primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    instant_column("sent_at"),
    instant_column("expires_at"),
    instant_column("used_at", nullable=True),
    Column("tries", SmallInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("sent", SmallInteger, nullable=False),
    CheckConstraint("tries BETWEEN 0 AND 5", name="tries"),
    CheckConstraint("sent BETWEEN 1 AND 5", name="sent"),
)
"""The last code sent to a phone, by keyed hashes of both; `sent` counts those of `day` (China). A phone names no city."""

member_codes = Table(
    "member_codes",
    metadata,
    city_column(),
    Column("handle", LargeBinary, primary_key=True),
    id_column("resident"),
    instant_column("expires_at"),
    id_column("used_stream", nullable=True),
    Column("used_seq", BigInteger),
    # Partial, so that a probe by handles cannot be planned through it: a young table without statistics was read whole.
    Index("ix_member_codes_resident", "city", "resident", postgresql_where="resident IS NOT NULL"),
    CheckConstraint("octet_length(handle) = 16", name="handle"),
    CheckConstraint("(used_stream IS NULL) = (used_seq IS NULL)", name="used"),
    postgresql_with={"fillfactor": "45"},  # each changes once, together with those issued beside it
)
"""City is the resident's home. `used_*` is the first basket that showed the code; its continuations may show it again."""
