"""Statements that are sent ahead: PostgreSQL works on them while the program goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.copy import LibpqWriter
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait
from sqlmodel import Session

from callcenter.db import connection_of, cursor_of

Asked = psycopg.Cursor[Any]
"""A statement that was sent; to read its rows means to wait for its answer."""


@contextmanager
def in_one_trip(session: Session) -> Iterator[None]:
    """Send the statements of the block one behind the other, without waiting for the answer to each.

    Only statements of plain cursors may be in it, so nothing that makes the session read or write rows. Their
    rows are read after the block, whose end raises what went wrong.
    """
    with connection_of(session).pipeline():
        yield


@contextmanager
def copying(session: Session, statement: str, rows: bytes) -> Iterator[None]:
    """Hand rows to a COPY, which PostgreSQL stores while the block goes on, and at its end wait for that.

    The block may send no statement.
    """
    cursor = cursor_of(session)
    writer = _AheadWriter(cursor)
    with cursor.copy(statement.encode(), writer=writer) as copy:
        copy.write(rows)
        writer.end()
        yield


class _AheadWriter(LibpqWriter):
    """Says that a COPY's rows are complete before anybody waits for its end."""

    has_ended = False

    def end(self) -> None:
        """Say that all rows were written; PostgreSQL begins to store them."""
        self.connection.wait(_end_of_rows(self._pgconn))
        self.has_ended = True

    def finish(self, exc: BaseException | None = None) -> None:
        """Wait until the rows are stored; raises what is wrong with them."""
        if not self.has_ended:
            return super().finish(exc)
        for result in self.connection.wait(fetch_many(self._pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result)
        return None


def _end_of_rows(connection: PGconn) -> PQGen[None]:
    while connection.put_copy_end() == 0:
        yield Wait.W
    while True:
        yield Wait.W
        if connection.flush() == 0:
            return
