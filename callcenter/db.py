"""The engine and the session scope. This file holds the only commit of the product."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
metadata: MetaData = SQLModel.metadata


def _to_json(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def make_engine(database_url: str, pool_size: int = 10) -> Engine:
    """Return an engine on PostgreSQL (psycopg 3); `database_url` may say postgresql:// or postgresql+psycopg://."""
    url = database_url
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            url = "postgresql+psycopg://" + url.removeprefix(plain)
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size * 2,
        pool_pre_ping=True,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=120s",
        },
    )


def cursor_of(session: Session) -> psycopg.Cursor[Any]:
    """Return a plain cursor in the session's transaction, for statements over whole sets; what the session
    holds unwritten is written first."""
    session.flush()
    transaction, connection = session.info.get("plain_connection", (None, None))
    # Asking the session anew takes longer than many a statement; within one transaction it is the same.
    if transaction is None or transaction is not session.get_transaction():
        connection = session.connection().connection.driver_connection
        session.info["plain_connection"] = (session.get_transaction(), connection)
    assert isinstance(connection, psycopg.Connection)
    return connection.cursor()


def array_of(values: Iterable[str | None]) -> str:
    """Return texts as the text of a PostgreSQL array, quoted; for statements over whole sets."""
    return "{" + ",".join([_NULL if value is None else _quoted(value) for value in values]) + "}"


def id_array_of(ids: Iterable[UUID]) -> str:
    """Return ids as the text of a PostgreSQL array; without dashes, which takes a third of the time."""
    return "{" + ",".join([one.hex for one in ids]) + "}"


def plain_array_of(values: Iterable[object]) -> str:
    """Return numbers or times as the text of a PostgreSQL array; their texts need no quotes."""
    return "{" + ",".join([_NULL if value is None else str(value) for value in values]) + "}"


_NULL = "NULL"


def _quoted(value: str) -> str:
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    return '"' + value.replace('"', '\\"') + '"'


def copy_text(value: str) -> str:
    """Return a text as COPY takes it."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\t" in value or "\n" in value or "\r" in value:
        value = value.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value


@contextmanager
def session_scope(engine: Engine) -> Iterator[Session]:
    """One unit of work: commit when the block ends well, roll back when it raises."""
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except psycopg.OperationalError as error:
            # From a plain cursor; named as SQLAlchemy would have named it, its connection is not used again.
            session.invalidate()
            raise OperationalError(None, None, error) from error
        except BaseException:
            session.rollback()
            raise


@contextmanager
def read_scope(engine: Engine) -> Iterator[Session]:
    """Read-only scope: whatever happens inside is rolled back."""
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
        finally:
            session.expunge_all()  # what was read stays readable after the block
            session.rollback()
