"""Follow-ups of business met on calls, agents who ask for help, and callbacks whose call task died before them.

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _refers(name: str, table: str, to: str, *, nullable: bool = False) -> tuple[sa.Column[object], object]:
    column: sa.Column[object] = sa.Column(name, sa.Uuid(), nullable=nullable)
    return column, sa.ForeignKeyConstraint([name], [to], name=op.f(f"fk_{table}_{name}"))


def upgrade() -> None:
    op.add_column("callback", sa.Column("lost_because", sa.String(), nullable=True))
    op.add_column("callback", _time("noted_at", nullable=True))
    op.create_index(
        "ix_callback_lost",
        "callback",
        ["agent_id"],
        postgresql_where=sa.text("lost_because IS NOT NULL AND noted_at IS NULL"),
    )
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_refers("attempt_id", "follow_up", "contact_attempt.id"),
        *_refers("customer_id", "follow_up", "customer.id"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        *_refers("owner_id", "follow_up", "agent.id"),
        sa.Column("due_on", sa.Date(), nullable=False),
        *_refers("created_by", "follow_up", "agent.id"),
        _time("created_at"),
        _time("changed_at"),
        _time("closed_at", nullable=True),
        *_refers("closed_by", "follow_up", "app_user.id", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index(op.f("ix_follow_up_attempt_id"), "follow_up", ["attempt_id"])
    op.create_index(op.f("ix_follow_up_customer_id"), "follow_up", ["customer_id"])
    op.create_index(
        "ix_follow_up_open",
        "follow_up",
        ["owner_id", "due_on"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_follow_up_closed",
        "follow_up",
        ["owner_id", "closed_at"],
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_table(
        "help_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_refers("agent_id", "help_request", "agent.id"),
        *_refers("attempt_id", "help_request", "contact_attempt.id"),
        _time("asked_at"),
        _time("acknowledged_at", nullable=True),
        *_refers("acknowledged_by", "help_request", "app_user.id", nullable=True),
        _time("ended_at", nullable=True),
        sa.Column("end", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_request")),
    )
    op.create_index(op.f("ix_help_request_attempt_id"), "help_request", ["attempt_id"])
    op.create_index(
        "uq_help_request_open",
        "help_request",
        ["agent_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: follow-ups would be lost")
