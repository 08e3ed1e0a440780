"""Changes that the system proposes. Written by learning."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callcenter.domain.enums import ProposalKind, ProposalState
from callcenter.models.columns import document, word


class Proposal(SQLModel, table=True):
    """One change of a rule that the evidence speaks for, and what people made of it.

    `definition` is what the rule would say; empty where nothing of it changes. `evidence` holds the figures as
    they were when it was made, `canary` those of its canary as last looked at. `rule_id` is the version that
    was current then, `trial_rule_id` the version that accepting it made.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        Index(
            "uq_proposal_underway",
            "rule_key",
            "kind",
            unique=True,
            postgresql_where=text("state IN ('open', 'in_review', 'canary')"),
        ),
        Index("ix_proposal_state", "state", "state_at"),
    )

    id: UUID = Field(primary_key=True)
    rule_key: str = Field(index=True)
    rule_id: UUID = Field(foreign_key="trigger_rule.id")
    kind: ProposalKind = word()
    state: ProposalState = word(default=ProposalState.OPEN)
    state_at: datetime
    made_at: datetime
    expires_at: datetime
    definition: dict[str, Any] = document()
    evidence: dict[str, Any] = document()
    canary: dict[str, Any] = document()
    decided_by: UUID | None = Field(default=None, foreign_key="app_user.id")
    reason: str = ""
    trial_rule_id: UUID | None = Field(default=None, foreign_key="trigger_rule.id")
