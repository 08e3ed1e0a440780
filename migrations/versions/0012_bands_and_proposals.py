"""Bands of waits, canaries of rules, and proposals.

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("trigger_firing", sa.Column("wait_probability", sa.Float(), nullable=True))
    for name in ("canary_from", "canary_until", "canary_ended_at"):
        op.add_column("trigger_rule", _time(name, nullable=True))
    op.add_column("trigger_rule", sa.Column("canary_share", sa.Float(), nullable=True))
    op.create_index(
        "uq_trigger_rule_canary",
        "trigger_rule",
        ["rule_key"],
        unique=True,
        postgresql_where=sa.text("state = 'canary'"),
    )
    _make_banded_visits()
    _make_proposals()


def downgrade() -> None:
    op.drop_table("proposal")
    op.drop_table("banded_visit")
    op.drop_index("uq_trigger_rule_canary", "trigger_rule")
    for name in ("canary_share", "canary_ended_at", "canary_until", "canary_from"):
        op.drop_column("trigger_rule", name)
    op.drop_column("trigger_firing", "wait_probability")


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _make_banded_visits() -> None:
    op.create_table(
        "banded_visit",
        sa.Column("rule_id", sa.Uuid(), sa.ForeignKey("trigger_rule.id"), primary_key=True),
        sa.Column("visit_id", sa.Uuid(), sa.ForeignKey("visit.id"), primary_key=True),
        _text("rule_key"),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        _time("at"),
        _time("until_at"),
        sa.Column("wait_seconds", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
        _time("settled_at", nullable=True),
        sa.Column("converted", sa.Boolean(), nullable=True),
        sa.Column("agent_seconds", sa.Integer(), nullable=True),
    )
    op.create_index("ix_banded_visit_rule_at", "banded_visit", ["rule_id", "at"])
    op.create_index(
        "ix_banded_visit_open",
        "banded_visit",
        ["until_at"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def _make_proposals() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("rule_key"),
        sa.Column("rule_id", sa.Uuid(), sa.ForeignKey("trigger_rule.id"), nullable=False),
        _text("kind"),
        _text("state"),
        _time("state_at"),
        _time("made_at"),
        _time("expires_at"),
        _json("definition"),
        _json("evidence"),
        _json("canary"),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("app_user.id"), nullable=True),
        _text("reason"),
        sa.Column("trial_rule_id", sa.Uuid(), sa.ForeignKey("trigger_rule.id"), nullable=True),
    )
    op.create_index("ix_proposal_rule_key", "proposal", ["rule_key"])
    op.create_index("ix_proposal_state", "proposal", ["state", "state_at"])
    op.create_index(
        "uq_proposal_underway",
        "proposal",
        ["rule_key", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'in_review', 'canary')"),
    )
