"""The bank's other systems: their tokens, the answers kept for repeated requests, the lists they send.

`ApiToken` and `ApiAnswer` are written by accounts, `ListImport` by intake.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from callcenter.models.columns import counted_id, document, listing


class ApiToken(SQLModel, table=True):
    """A token another system shows; only its hash and its last four letters are kept."""

    __tablename__ = "api_token"
    __table_args__ = (
        Index("uq_api_token_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    id: int | None = counted_id()
    token_hash: str = Field(unique=True)
    hint: str
    name: str
    scopes: list[str] = listing()
    requests_per_minute: int = 600
    created_at: datetime
    created_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    last_used_at: datetime | None = None


class ApiAnswer(SQLModel, table=True):
    """What a request with an idempotency key was answered, for a day; it holds ids and states, no person's data."""

    __tablename__ = "api_answer"

    token_id: int = Field(sa_type=BigInteger, primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: bytes = Field(sa_type=LargeBinary)
    status: int
    body: dict[str, Any] = document()
    created_at: datetime = Field(index=True)


class ListImport(SQLModel, table=True):
    """A list of customers to call, of another system's token or a person's, and how far it has been worked through.

    `rows` are the checked rows until the work is done, and nothing after. `refused` names rows by number, with
    a code and what is wrong, and holds nothing of what stood in them. A person's list `is_draft` until they say
    so; `foreseen` then tells what would become of each row, as [number, code]. Such a list is looked at first:
    `body` is the file until it has been read, `failed` the code of why it could not be, `looked_at` when all of its
    rows were foreseen. `opened` are the call tasks opened for a person, who may undo them. A large list of a token
    is a draft until a job has read its file, and stays one where it `is_dry_run`: then no row is kept.
    """

    __tablename__ = "list_import"
    __table_args__ = (Index("ix_list_import_digest", "digest"),)

    id: UUID = Field(primary_key=True)
    token_id: int | None = Field(default=None, foreign_key="api_token.id", sa_type=BigInteger)
    user_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    name: str
    digest: str
    wanted: dict[str, Any] = document()
    rows: list[dict[str, Any]] = listing()
    created_at: datetime = Field(index=True)
    ended_at: datetime | None = None
    rows_total: int
    rows_done: int = 0
    tasks_opened: int = 0
    refused: list[dict[str, Any]] = listing()
    ignored_columns: list[str] = listing()
    is_draft: bool = False
    is_dry_run: bool = False
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    failed: str | None = None
    foreseen: list[list[Any]] = listing()
    looked_at: datetime | None = None
    opened: list[str] = listing()
    undone_at: datetime | None = None
    tasks_undone: int = 0
