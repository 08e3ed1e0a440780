"""How Alembic talks to the database: online only, one at a time, never waiting long for a lock.

A migration that cannot get its lock in time fails whole (PostgreSQL's DDL is transactional) instead of
queueing every request behind it.
"""

import os

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlmodel import SQLModel

import callcenter.db
import callcenter.models  # noqa: F401 - fills the metadata

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"
MIGRATION_LOCK = 4_155_237_301
"""Any number of our own: the advisory lock that lets one migration run at a time."""


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Leave the weekly partitions of the events alone: they come and go with time."""
    return kind != "table" or name is None or not name.startswith("journey_event_")


def run_online() -> None:
    """Wait for the turn, then upgrade, each migration in one transaction."""
    url = context.config.attributes.get("database_url") or os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("set DATABASE_URL, or use `callcenter migrate`")
    scheme, _, rest = str(url).partition("://")
    engine = create_engine(
        f"postgresql+psycopg://{rest}" if scheme != "postgresql+psycopg" else url, poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        # Before the time limits, which would also cut short the wait for our turn.
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            include_name=is_ours,
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()  # ends the session, and with it the advisory lock


if context.is_offline_mode():
    raise SystemExit("migrations run online only: they look at the data")
run_online()
