"""What makes the ledgers tamper-evident, and whose data was erased. Written by evidence."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from callcenter.models.columns import document


class AuditLink(SQLModel, table=True):
    """One link of the hash chain over the ledgers: this row, as it was, came after the link before.

    `hash` covers the link before, the ledger's name, the row's id and `row_hash`.
    """

    __tablename__ = "audit_link"
    __table_args__ = (UniqueConstraint("ledger", "row_id"),)

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    ledger: str
    row_id: int = Field(sa_type=BigInteger)
    row_hash: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime


class Erasure(SQLModel, table=True):
    """One person whose data was erased: when, for whom, how much went, and what had to stay and why."""

    __tablename__ = "erasure"

    customer_id: UUID = Field(primary_key=True)
    at: datetime
    by_user_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    why: str
    erased: dict[str, Any] = document()
    kept: dict[str, Any] = document()
