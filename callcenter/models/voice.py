"""What customers say of the product and of us: suggestions and what they rest on, surveys. Written by voice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import SuggestionState
from callcenter.models.columns import word


class Suggestion(SQLModel, table=True):
    """A product suggestion as people have grouped it from wishes taken down on calls.

    One that was merged into another stays, names it, and is shown no more. `reason` says why it was declined.
    """

    __tablename__ = "suggestion"

    id: UUID = Field(primary_key=True)
    title: str
    state: SuggestionState = word(default=SuggestionState.NEW)
    reason: str = ""
    owner_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    merged_into_id: UUID | None = Field(default=None, foreign_key="suggestion.id")
    created_at: datetime
    created_by: UUID = Field(foreign_key="app_user.id")
    changed_at: datetime


class SuggestionLink(SQLModel, table=True):
    """Which suggestion a wish belongs to; a wish belongs to one at most."""

    __tablename__ = "suggestion_link"

    attempt_id: UUID = Field(primary_key=True, foreign_key="product_suggestion.attempt_id")
    suggestion_id: UUID = Field(foreign_key="suggestion.id", index=True)
    linked_at: datetime
    linked_by: UUID = Field(foreign_key="app_user.id")


class SurveySetting(SQLModel, table=True):
    """Whether customers are asked after a call: of a campaign (`rule_key` empty), or of one of its rules."""

    __tablename__ = "survey_setting"

    journey: str = Field(primary_key=True)
    rule_key: str = Field(default="", primary_key=True)
    is_on: bool
    changed_at: datetime
    changed_by: UUID = Field(foreign_key="app_user.id")


class SurveyInvite(SQLModel, table=True):
    """One survey after one call: that somebody is asked, or why they are not, and what they answered.

    `withheld` is the reason for which nobody was asked. Of the link nothing is kept: it is worked out from the id.
    """

    __tablename__ = "survey_invite"
    __table_args__ = (
        Index("ix_survey_invite_customer", "customer_id", "created_at"),
        Index("ix_survey_invite_created", "created_at"),
        Index("ix_survey_invite_answered", "answered_at", postgresql_where=text("answered_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    attempt_id: UUID = Field(foreign_key="contact_attempt.id", unique=True)
    call_task_id: UUID = Field(foreign_key="call_task.id")
    customer_id: UUID = Field(foreign_key="customer.id")
    journey: str
    step: str
    rule_key: str
    language: str
    created_at: datetime
    expires_at: datetime
    withheld: str | None = None
    answered_at: datetime | None = None
    score: int | None = None
    answer: str = ""
