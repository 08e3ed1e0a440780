"""The engine and the session scope. This file holds the only commit of the product."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
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
        pool_timeout=5,
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
    # Asking the session anew takes longer than many a statement; within one transaction it is the same. A
    # savepoint is set when the session is asked for the first time in it.
    current = session.get_nested_transaction() or session.get_transaction()
    transaction, connection = session.info.get("plain_connection", (None, None))
    if transaction is None or transaction is not current:
        connection = session.connection().connection.driver_connection
        current = session.get_nested_transaction() or session.get_transaction()
        session.info["plain_connection"] = (current, connection)
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


_STATE = ("08", "0A", "26", "28", "3D", "40", "42", "53", "55", "57", "58", "72", "F0", "XX")
"""Classes of SQLSTATEs that speak of the database: it is away, full, busy, not as its clients last saw it, or
without a table or column that a half-done deployment has not brought.

https://www.postgresql.org/docs/current/errcodes-appendix.html. XX is also what no room at a file's end is
called when the system does not call the disk full.
"""
_STATE_ALONE = ("25006", "25P03", "25P04")
"""Read-only, and cut off for being slow."""
_CONFLICT = "40"
_TOO_MUCH = "54"
"""A limit of PostgreSQL that no room and no waiting lifts, such as the length of an index's row."""


def speaks_of_the_database(error: BaseException) -> bool:
    """Whether an error tells the database's state rather than anything about what was asked of it.

    Nothing was done then, and the same may be asked again. In: an error of psycopg, or SQLAlchemy's around it.
    """
    if isinstance(error, PoolTimeout | InterfaceError | psycopg.InterfaceError):
        return True
    cause = _cause(error)
    if not isinstance(cause, psycopg.Error):
        return isinstance(error, OperationalError)
    if cause.sqlstate is None:  # the connection broke, or there was none
        return isinstance(cause, psycopg.OperationalError)
    return cause.sqlstate.startswith(_STATE) or cause.sqlstate in _STATE_ALONE


def _cause(error: BaseException) -> BaseException:
    return error.orig or error if isinstance(error, DBAPIError) else error


def is_conflict(error: BaseException) -> bool:
    """Whether two transactions were in each other's way and this one gave way; tried again it may well pass."""
    return str(getattr(_cause(error), "sqlstate", "")).startswith(_CONFLICT)


def _named(error: psycopg.Error | SQLAlchemyError) -> Exception:
    """Return an error under the name its meaning has here: OperationalError for the database's state, and only
    for that, whoever has raised it."""
    cause = _cause(error)
    if speaks_of_the_database(error):
        return error if isinstance(error, OperationalError) else OperationalError(None, None, cause)
    if str(getattr(cause, "sqlstate", "")).startswith(_TOO_MUCH):
        return DataError(None, None, cause)
    return error


def _raise_named(session: Session, error: psycopg.Error | SQLAlchemyError) -> NoReturn:
    if isinstance(error, psycopg.Error) and speaks_of_the_database(error):
        # From a plain cursor, so SQLAlchemy does not know of it: the connection is not used again.
        session.invalidate()
    else:
        session.rollback()
    named = _named(error)
    if named is error:
        raise error
    raise named from error


@contextmanager
def session_scope(engine: Engine) -> Iterator[Session]:
    """One unit of work: commit when the block ends well, roll back when it raises.

    Raises sqlalchemy.exc.OperationalError when the database cannot do it now, whatever else it is called.
    """
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except (psycopg.Error, SQLAlchemyError) as error:
            _raise_named(session, error)
        except BaseException:
            session.rollback()
            raise


@contextmanager
def read_scope(engine: Engine) -> Iterator[Session]:
    """Read-only scope: whatever happens inside is rolled back. Raises as `session_scope` does."""
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
        except (psycopg.Error, SQLAlchemyError) as error:
            _raise_named(session, error)
        finally:
            session.expunge_all()  # what was read stays readable after the block
            session.rollback()
