"""Alembic's entry: migrates `DATABASE_URL` as its owner, one transaction a revision, with short lock waits."""

import importlib
import os
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

import backend
from backend.storage.base import metadata

LOCK_TIMEOUT_S = 4
STATEMENT_TIMEOUT_S = 300

for module in Path(backend.__path__[0]).rglob("tables.py"):
    folders = module.relative_to(backend.__path__[0]).parts[:-1]
    importlib.import_module(".".join(["backend", *folders, "tables"]))


def is_ours(_thing: object, name: str | None, kind: str, reflected: bool, _other: object) -> bool:  # noqa: FBT001
    """Tables that a library keeps in our database (the job queue's) are its own affair."""
    return kind != "table" or not reflected or name in metadata.tables


config = context.config
url = config.attributes.get("url") or os.environ["DATABASE_URL"]
# No pool: nothing is left open behind a migration that fails.
engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
with engine.connect() as connection:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        include_object=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()
