"""What the compliance gate decided, the ledgers and packs it decides by, and who changed them.

Written by compliance. Ledgers are only ever added to: the database refuses to change or delete their rows.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import (
    ChangeKind,
    ChangeState,
    ConsentAct,
    Purpose,
    ScreeningPoint,
    SuppressionKind,
    SuppressionScope,
)
from callcenter.models.columns import counted_id, document, listing, word


class ScreeningDecision(SQLModel, table=True):
    """One answer of the gate with all its reasons, its facts and the policy version; only ever added.

    `for_at` is the moment the answer is about: later than `asked_at` when a callback is being promised.
    """

    __tablename__ = "screening_decision"

    id: int | None = counted_id()
    asked_at: datetime = Field(index=True)
    for_at: datetime
    point: ScreeningPoint = word()
    customer_id: UUID = Field(index=True)
    firing_id: UUID | None = None
    call_task_id: UUID | None = Field(default=None, index=True)
    purpose: Purpose = word(default=Purpose.SERVICE)
    campaign: str = ""
    may_call: bool
    reasons: list[str] = listing()
    next_allowed_at: datetime | None = None
    policy_version: str
    facts: dict[str, Any] = document()


class Suppression(SQLModel, table=True):
    """One entry of the suppression ledger: a person or a number that must not be called, or the lifting of one.

    Numbers are kept as keyed hashes (`compliance.numbers`), with the fingerprint of their key. An entry with
    `lifts_id` takes back that one.
    """

    __tablename__ = "suppression"
    __table_args__ = (
        Index("ix_suppression_lifts", "lifts_id", postgresql_where=text("lifts_id IS NOT NULL")),
        Index("ix_suppression_key", "key_fingerprint", postgresql_where=text("number_hash IS NOT NULL")),
        CheckConstraint("number_hash IS NULL OR key_fingerprint IS NOT NULL", name="hash_names_its_key"),
    )

    id: int | None = counted_id()
    kind: SuppressionKind = word()
    scope: SuppressionScope = word()
    customer_id: UUID | None = Field(default=None, index=True)
    number_hash: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)
    key_fingerprint: str | None = None
    purpose: Purpose | None = word(default=None, nullable=True)
    campaign: str | None = None
    source: str
    reason: str = ""
    proof: str = ""
    created_at: datetime
    created_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    expires_at: datetime | None = None
    lifts_id: int | None = None


class SuppressionList(SQLModel, table=True):
    """A list of numbers that was imported whole: a public registry's copy, or a list of the bank's own.

    `key_fingerprint` names the key its numbers are hashed under. The newest import of a key that is `in_force`
    counts; `purpose` limits what calls it bars, None: all.
    """

    __tablename__ = "suppression_list"
    __table_args__ = (
        Index("uq_suppression_list_in_force", "key", unique=True, postgresql_where=text("in_force")),
    )

    id: int | None = counted_id()
    key: str
    source: str
    purpose: Purpose | None = word(default=None, nullable=True)
    imported_at: datetime
    imported_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    as_of: datetime
    accepted: int = 0
    refused: int = 0
    in_force: bool = False
    key_fingerprint: str | None = None


class SuppressionListNumber(SQLModel, table=True):
    """One number of an imported list, as a keyed hash."""

    __tablename__ = "suppression_list_number"

    number_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    list_id: int = Field(primary_key=True)


class Consent(SQLModel, table=True):
    """One entry of the consent ledger: a customer's consent to calls for a purpose, or its withdrawal."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_customer", "customer_id", "purpose"),)

    id: int | None = counted_id()
    act: ConsentAct = word()
    customer_id: UUID
    purpose: Purpose = word()
    text_version: str = ""
    proof: str = ""
    source: str
    at: datetime
    expires_at: datetime | None = None
    created_at: datetime
    created_by: UUID | None = Field(default=None, foreign_key="app_user.id")


class PackVersion(SQLModel, table=True):
    """A version of a policy pack that was put in force here, beside those the product brings."""

    __tablename__ = "pack_version"

    id: int | None = counted_id()
    pack: str
    valid_from: date
    text: str
    approved_at: datetime
    approved_by: UUID = Field(foreign_key="app_user.id")


class ComplianceChange(SQLModel, table=True):
    """A change of packs or ledgers that somebody asks for and somebody else decides."""

    __tablename__ = "compliance_change"
    __table_args__ = (
        Index("ix_compliance_change_waiting", "asked_at", postgresql_where=text("state = 'waiting'")),
        CheckConstraint("decided_by <> asked_by", name="second_person"),
    )

    id: int | None = counted_id()
    kind: ChangeKind = word()
    payload: dict[str, Any] = document()
    why: str
    state: ChangeState = word(default=ChangeState.WAITING)
    asked_at: datetime
    asked_by: UUID = Field(foreign_key="app_user.id")
    decided_at: datetime | None = None
    decided_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    decision_note: str = ""
