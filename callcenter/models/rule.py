"""Trigger rules in immutable versions, and their firings. Written by triggers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import FiringFate, Preset, RuleState, SuppressReason
from callcenter.models.columns import document, word


class TriggerRule(SQLModel, table=True):
    """One version of a rule. Once it was sent for review its `definition` never changes, only its life does.

    `published_at` is when it went live; `moves_open_visits` says whether visits that were open then follow it
    (migrated) or stay with the version they began under (pinned) until they close. `canary_from` is when it
    began to be tried on `canary_share` of the customers, `canary_until` for how long, `canary_ended_at` when
    that ended, whether it went live then or not.
    """

    __tablename__ = "trigger_rule"
    __table_args__ = (
        UniqueConstraint("rule_key", "version"),
        Index(
            "uq_trigger_rule_current",
            "rule_key",
            unique=True,
            postgresql_where=text("state IN ('live', 'paused')"),
        ),
        Index("uq_trigger_rule_canary", "rule_key", unique=True, postgresql_where=text("state = 'canary'")),
    )

    id: UUID = Field(primary_key=True)
    rule_key: str
    version: int
    journey: str
    step: str
    preset: Preset = word()
    state: RuleState = word(default=RuleState.DRAFT)
    state_at: datetime
    definition: dict[str, Any] = document()
    created_at: datetime
    created_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    note: str = ""
    submitted_at: datetime | None = None
    submitted_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    published_at: datetime | None = None
    published_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    moves_open_visits: bool = False
    superseded_at: datetime | None = None
    canary_from: datetime | None = None
    canary_until: datetime | None = None
    canary_ended_at: datetime | None = None
    canary_share: float | None = None


class TriggerFiring(SQLModel, table=True):
    """A rule that ran out for one visit; at most one per rule and visit, whatever happens.

    `merged_into` is the call task it was folded into; it stays when the firing is decided again.
    """

    __tablename__ = "trigger_firing"
    __table_args__ = (
        UniqueConstraint("rule_key", "customer_id", "journey", "journey_key", "visit_seq"),
        Index("ix_trigger_firing_undecided", "fired_at", postgresql_where=text("fate IS NULL")),
        Index("ix_trigger_firing_rule_time", "rule_key", "fired_at"),
        Index("ix_trigger_firing_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_trigger_firing_merged_visit", "visit_id", postgresql_where=text("merged_into IS NOT NULL")),
        # Effects count each customer once a quarter, by the first firing.
        Index(
            "ix_trigger_firing_cohort",
            "rule_key",
            "customer_id",
            "fired_at",
            postgresql_include=["id", "fate"],
            postgresql_where=text("fate IN ('task', 'held_out')"),
        ),
    )

    id: UUID = Field(primary_key=True)
    rule_id: UUID = Field(foreign_key="trigger_rule.id")
    rule_key: str
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    journey: str
    journey_key: str = ""
    step: str
    visit_seq: int
    anchor_at: datetime
    due_at: datetime
    wake_at: datetime
    fired_at: datetime
    decided_at: datetime | None = None
    fate: FiringFate | None = word(default=None, nullable=True)
    suppress_reason: SuppressReason | None = word(default=None, nullable=True)
    holdout_share: float | None = None
    holdout_unit: float | None = None
    wait_probability: float | None = None
    merged_into: UUID | None = None
    tries: int = 0
    facts: dict[str, Any] = document()
