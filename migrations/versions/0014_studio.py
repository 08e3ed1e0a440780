"""Surges of steps, and an index for the effects.

Revision ID: 0014
Revises: 0013
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "step_surge",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("journey", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Float(), nullable=False),
        sa.Column("profile", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_surge")),
    )
    op.create_index(op.f("ix_step_surge_began_at"), "step_surge", ["began_at"])
    op.create_index(
        "uq_step_surge_open",
        "step_surge",
        ["journey", "step", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_trigger_firing_cohort",
        "trigger_firing",
        ["rule_key", "customer_id", "fired_at"],
        postgresql_include=["id", "fate"],
        postgresql_where=sa.text("fate IN ('task', 'held_out')"),
    )


def downgrade() -> None:
    op.drop_index("ix_trigger_firing_cohort", table_name="trigger_firing")
    op.drop_table("step_surge")
