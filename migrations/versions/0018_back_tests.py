"""Back-tests that people asked for in the studio.

Revision ID: 0018
Revises: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "back_test_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["app_user.id"], name=op.f("fk_back_test_run_asked_by_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_back_test_run")),
    )
    op.create_index("ix_back_test_run_version", "back_test_run", ["rule_key", "version", "asked_at"])


def downgrade() -> None:
    op.drop_table("back_test_run")
