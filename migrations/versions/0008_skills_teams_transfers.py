"""Teams, skills with levels, what call tasks ask of their agents, why an offer was made, and call tasks handed over.

Revision ID: 0008
Revises: 0007
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _make_teams_and_skills()
    _ask_of_agents()
    _tell_why()
    _make_transfers()


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _refers(name: str, to: str, *, nullable: bool = False) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], [to], name=op.f(f"fk_task_transfer_{name}"))
    return sa.Column(name, sa.Uuid(), nullable=nullable), key


def _fill(table: str, column: sa.Column, value: str) -> None:
    """Add a column that is never null; existing rows get the value without being rewritten."""
    column.server_default = sa.DefaultClause(sa.text(value))
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def _make_teams_and_skills() -> None:
    op.create_table(
        "team",
        _text("name"),
        sa.Column("transfers_need_approval", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_team")),
    )
    op.execute("INSERT INTO team SELECT team, false, min(presence_at) FROM agent GROUP BY team")
    op.create_table(
        "skill",
        _text("key"),
        _text("name"),
        _text("name_zh"),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_skill")),
    )
    _fill("agent", _json("skills"), "'{}'")
    _fill("agent", sa.Column("skill_points", sa.Integer(), nullable=False), "0")


def _ask_of_agents() -> None:
    _fill("call_task", _text("language"), "'en'")
    op.add_column("call_task", _text("skill", nullable=True))
    _fill("call_task", sa.Column("skill_level", sa.Integer(), nullable=False), "1")
    op.add_column("call_task", _text("team", nullable=True))
    _fill("call_task", _json("relaxed"), "'[]'")
    op.add_column("call_task", _time("unstaffed_at", nullable=True))
    op.add_column("call_task", _text("held_for", nullable=True))
    op.execute(
        "UPDATE call_task t SET language = c.language FROM customer c WHERE c.id = t.customer_id"
        " AND t.state NOT IN ('completed', 'canceled')"
    )


def _tell_why() -> None:
    op.execute(
        "ALTER TABLE reservation ALTER COLUMN why TYPE jsonb USING "
        "CASE WHEN why = '' THEN '{}'::jsonb ELSE jsonb_build_object('way', 'best_fit') END"
    )


def _make_transfers() -> None:
    op.create_table(
        "task_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_refers("call_task_id", "call_task.id"),
        *_refers("from_agent_id", "agent.id"),
        *_refers("to_agent_id", "agent.id", nullable=True),
        _text("to_team", nullable=True),
        _text("reason"),
        _text("note"),
        _text("state"),
        _time("asked_at"),
        _time("expires_at"),
        _time("decided_at", nullable=True),
        *_refers("decided_by", "app_user.id", nullable=True),
        _text("answer"),
        *_refers("taken_by", "agent.id", nullable=True),
        _time("ended_at", nullable=True),
        _time("noted_at", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _json("before"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_transfer")),
    )
    op.create_index(op.f("ix_task_transfer_call_task_id"), "task_transfer", ["call_task_id"])
    op.create_index(
        "uq_task_transfer_open",
        "task_transfer",
        ["call_task_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_task_transfer_told",
        "task_transfer",
        ["from_agent_id"],
        postgresql_where=sa.text("noted_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: transfers and skills would be lost")
