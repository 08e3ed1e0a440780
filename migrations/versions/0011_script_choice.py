"""Shares of script variants day by day, what usually helps, and the day whose shares a call task's variant came from.

Revision ID: 0011
Revises: 0010
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("call_task", sa.Column("script_allocated_on", sa.Date(), nullable=True))
    op.create_index("ix_call_task_script", "call_task", ["script_id", "customer_id", "created_at"])
    op.create_table(
        "script_allocation",
        _text("script_id"),
        _whole("script_version"),
        sa.Column("allocated_on", sa.Date(), nullable=False),
        _time("made_at"),
        _text("journey"),
        _text("method"),
        _real("prior_a"),
        _real("prior_b"),
        _whole("past_variants"),
        _json("arms"),
        sa.PrimaryKeyConstraint(
            "script_id", "script_version", "allocated_on", name=op.f("pk_script_allocation")
        ),
    )
    op.create_table(
        "what_helps",
        _text("journey"),
        _text("step"),
        _text("error"),
        _time("made_at"),
        _time("from_at"),
        _whole("calls"),
        _whole("calls_with_cause"),
        _json("causes"),
        _json("branches"),
        sa.PrimaryKeyConstraint("journey", "step", "error", name=op.f("pk_what_helps")),
    )


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def _whole(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _real(name: str) -> sa.Column:
    return sa.Column(name, sa.Float(), nullable=False)


def _time(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: the probabilities of past draws would be lost")
