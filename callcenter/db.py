"""The engine and the session scope. This file holds the only commit of the product."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from struct import pack
from time import monotonic
from typing import Any, NoReturn
from uuid import UUID

import orjson
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    InvalidatePoolError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
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


_TRUSTED_SECONDS = 1.0
"""A connection that was in use so lately is used again without asking whether it still lives."""


def make_engine(database_url: str, pool_size: int = 10) -> Engine:
    """Return an engine on PostgreSQL (psycopg 3); `database_url` may say postgresql:// or postgresql+psycopg://."""
    url = database_url
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            url = "postgresql+psycopg://" + url.removeprefix(plain)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size * 2,
        pool_timeout=5,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=120s",
        },
    )
    _ping_those_idle(engine)
    return engine


def _ping_those_idle(engine: Engine) -> None:
    """Ask a connection whether it still lives before it is used, unless it was in use a moment ago: with thousands
    of short reads a second that would be a quarter of what they cost. SQLAlchemy's own ping always asks."""

    @event.listens_for(engine, "connect")
    @event.listens_for(engine, "checkin")
    def _note(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        if monotonic() - record.info["used_at"] < _TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            # The others of the pool are as old: they are made anew too, and the pool goes on with a new one.
            raise InvalidatePoolError from error


def cursor_of(session: Session, *, binary: bool = False) -> psycopg.Cursor[Any]:
    """Return a plain cursor in the session's transaction, for statements over whole sets; what the session
    holds unwritten is written first. A `binary` one's rows come in binary, which is quicker for ids and times."""
    return connection_of(session).cursor(binary=binary)


def connection_of(session: Session) -> psycopg.Connection[Any]:
    """Return the connection of the session's transaction; what the session holds unwritten is written first."""
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
    return connection


class _Array(bytes):
    """A parameter over a whole set: an array in the form PostgreSQL has on the wire, which it need not parse.

    https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES
    """


class _IdArray(_Array):
    """uuid[]"""


class _TextArray(_Array):
    """text[]"""


class _MomentArray(_Array):
    """timestamptz[]"""


class _NumberArray(_Array):
    """int4[]"""


class _DocumentArray(_Array):
    """jsonb[]"""


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


def _register(kind: type[_Array], oid: int) -> None:
    dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": oid})
    psycopg.adapters.register_dumper(kind, dumper)


_register(_IdArray, 2951)
_register(_TextArray, 1009)
_register(_MomentArray, 1185)
_register(_NumberArray, 1007)
_register(_DocumentArray, 3807)


def _head(element_oid: int, length: int, *, nulls: bool = False) -> bytes:
    return pack(">5i", 1, nulls, element_oid, length, 1)


def id_array_of(ids: Iterable[UUID]) -> bytes:
    """Return ids as a parameter of the type uuid[]."""
    return array_of_ids([one.bytes for one in ids])


def array_of_ids(ids: Collection[bytes]) -> bytes:
    """Return ids, each in its sixteen bytes, as a parameter of the type uuid[]."""
    return _IdArray(_head(2950, len(ids)) + b"".join([_SIXTEEN + one for one in ids]))


def array_of(values: Iterable[str | None]) -> bytes:
    """Return texts as a parameter of the type text[]."""
    return _TextArray(_texts(25, [None if one is None else one.encode() for one in values]))


def document_array_of(documents: Iterable[bytes]) -> bytes:
    """Return what is JSON already as a parameter of the type jsonb[]."""
    return _DocumentArray(_texts(3802, [b"\x01" + one for one in documents]))


def _texts(element_oid: int, texts: Sequence[bytes | None]) -> bytes:
    parts = [_head(element_oid, len(texts), nulls=None in texts)]
    for one in texts:
        parts += (_NULL,) if one is None else (len(one).to_bytes(4), one)
    return b"".join(parts)


def moment_array_of(moments: Iterable[datetime | None]) -> bytes:
    """Return moments as a parameter of the type timestamptz[]."""
    found = [_NULL if one is None else pack(">iq", 8, moment_on_the_wire(one)) for one in moments]
    return _MomentArray(_head(1184, len(found), nulls=_NULL in found) + b"".join(found))


def moment_on_the_wire(at: datetime) -> int:
    """Return a moment as PostgreSQL sends and takes it: in microseconds since 2000."""
    return (at - _EPOCH) // _MICROSECOND


def number_array_of(numbers: Sequence[int]) -> bytes:
    """Return whole numbers as a parameter of the type int4[]."""
    return _NumberArray(_head(23, len(numbers)) + b"".join([pack(">ii", 4, one) for one in numbers]))


def plain_array_of(values: Iterable[object]) -> str:
    """Return numbers or times as the text of a PostgreSQL array; their texts need no quotes."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


_NULL = b"\xff\xff\xff\xff"
_SIXTEEN = b"\x00\x00\x00\x10"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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


def without_transactions(engine: Engine) -> Engine:
    """Return the engine, with the same connections, for short reads that need no transaction around them.

    Each statement sees what is committed by then, with and without one; two trips to the database are saved.
    """
    return engine.execution_options(isolation_level="AUTOCOMMIT")


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
    """Read-only scope: whatever happens inside is rolled back. Raises as `session_scope` does.

    On an engine `without_transactions`, for reads alone, there is none to roll back.
    """
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
        except (psycopg.Error, SQLAlchemyError) as error:
            _raise_named(session, error)
        finally:
            session.expunge_all()  # what was read stays readable after the block
            session.rollback()
