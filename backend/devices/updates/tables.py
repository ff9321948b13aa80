from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, Table, text

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

rollouts = Table(
    "rollouts",
    metadata,
    city_column(),
    id_column("rollout", primary_key=True),
    text_column("target"),
    text_column("version"),
    text_column("hardware"),
    text_column("min_version"),
    text_column("state"),
    Column("stage", SmallInteger, nullable=False),
    instant_column("stage_at"),
    Column("soak_s", Integer, nullable=False),
    Column("patience_s", Integer, nullable=False),
    text_column("created_by"),
    instant_column("created_at"),
    text_column("reason", nullable=True),
    CheckConstraint("state IN ('created', 'rolling', 'paused', 'done', 'aborted')", name="state"),
    CheckConstraint("stage BETWEEN 0 AND 3", name="stage"),
    CheckConstraint("soak_s >= 0 AND patience_s > 0", name="periods"),
    # One at a time: two releases offered to the same tills would decide by their order of arrival.
    Index(
        "uq_rollouts_under_way",
        "city",
        unique=True,
        postgresql_where=text("state IN ('created', 'rolling', 'paused')"),
    ),
)
"""`hardware`: names, each followed by a space but the last."""

rollout_devices = Table(
    "rollout_devices",
    metadata,
    city_column(),
    id_column("rollout", primary_key=True),
    text_column("device", primary_key=True),
    text_column("state"),
    text_column("reason", nullable=True),
    Column("stage", SmallInteger, nullable=False),
    instant_column("offered_at"),
    instant_column("asked_at"),
    instant_column("changed_at"),
    CheckConstraint(
        "state IN ('offered', 'downloading', 'verified', 'staged', 'trial',"
        " 'committed', 'rolled_back', 'failed', 'timed_out', 'not_concerned')",
        name="state",
    ),
)
"""`offered_at`: when its patience began; `asked_at`: when it was last told that the offer stands, or that it is over."""
