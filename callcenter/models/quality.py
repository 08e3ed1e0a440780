"""How well calls were handled: the questions that are asked of one, and what was found. Written by quality."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from callcenter.domain.quality import ReviewReason
from callcenter.models.columns import document, listing, word


class Scorecard(SQLModel, table=True):
    """One version of the questions asked of a call; it never changes, a changed scorecard is a new version.

    `questions` holds {id, section, text, weight, is_critical} each, `section` and `text` by language. `pass_mark`
    is the score from which a call was handled well. One version of a key is in use; none after it was ended.
    """

    __tablename__ = "scorecard"
    __table_args__ = (
        UniqueConstraint("key", "version"),
        Index("uq_scorecard_in_use", "key", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    key: str
    version: int
    title: dict[str, str] = document()
    questions: list[dict[str, Any]] = listing()
    pass_mark: int = 80
    made_at: datetime
    made_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    ended_at: datetime | None = None


class Review(SQLModel, table=True):
    """What a supervisor found in one call. The second review of a disputed one counts and settles it.

    `marks` and `remarks` are by question; `score` is 0 to 100, 0 where a critical question was not met.
    """

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("attempt_id", "seq"),
        Index("ix_review_agent", "agent_id", "at"),
    )

    id: UUID = Field(primary_key=True)
    attempt_id: UUID = Field(foreign_key="contact_attempt.id")
    seq: int = 1
    agent_id: UUID = Field(foreign_key="agent.id")
    scorecard_id: UUID = Field(foreign_key="scorecard.id")
    because: ReviewReason = word(default=ReviewReason.CHOSEN)
    marks: dict[str, str] = document()
    remarks: dict[str, str] = document()
    comment: str = ""
    score: int
    failed: list[str] = listing()
    reviewer_id: UUID = Field(foreign_key="app_user.id")
    at: datetime = Field(index=True)
    acknowledged_at: datetime | None = None
    disputed_at: datetime | None = None
    dispute: str = ""
    settled_at: datetime | None = None


class ReviewPlan(SQLModel, table=True):
    """How many calls of each agent are to be reviewed in a week; the newest row counts."""

    __tablename__ = "review_plan"

    set_at: datetime = Field(primary_key=True)
    a_week: int
    set_by: UUID | None = Field(default=None, foreign_key="app_user.id")
