"""What is learned at night: runs and their steps, what rules are worth, models; what a call task is worth.

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _make_runs()
    _make_model()
    _make_worth()
    _make_ghosts()
    op.add_column("call_task", _number("worth", nullable=True))
    op.add_column("call_task", _number("worth_points", nullable=True))
    op.add_column("call_task", _number("worth_fades_minutes", nullable=True))
    op.add_column("call_task", _number("worth_reach", nullable=True))
    op.add_column("call_task", _time("moment_at", nullable=True))
    op.add_column("call_task", sa.Column("raised", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.alter_column("call_task", "raised", server_default=None)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Float(), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _make_runs() -> None:
    op.create_table(
        "learning_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        _time("asked_at"),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_run")),
        sa.ForeignKeyConstraint(["asked_by"], ["app_user.id"], name=op.f("fk_learning_run_asked_by")),
    )
    op.create_index(op.f("ix_learning_run_asked_at"), "learning_run", ["asked_at"])
    op.create_index(
        "uq_learning_run_open",
        "learning_run",
        [sa.text("(true)")],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "learning_step",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        _text("name"),
        _whole("position"),
        _whole("starts"),
        _time("started_at", nullable=True),
        _time("ended_at", nullable=True),
        _text("summary", nullable=True),
        _text("error", nullable=True),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_learning_step")),
        sa.ForeignKeyConstraint(["run_id"], ["learning_run.id"], name=op.f("fk_learning_step_run_id")),
    )


def _make_model() -> None:
    op.create_table(
        "propensity_model",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _time("trained_at"),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        _text("why_not", nullable=True),
        _json("parameters"),
        _text("digest"),
        _json("card"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_propensity_model")),
    )
    op.create_index(op.f("ix_propensity_model_trained_at"), "propensity_model", ["trained_at"])


def _make_worth() -> None:
    op.create_table(
        "rule_worth",
        _text("rule_key"),
        _time("learned_at"),
        _whole("assigned"),
        _whole("held_out"),
        _number("own_effect", nullable=True),
        _number("own_deviation", nullable=True),
        _number("effect"),
        _number("base_rate"),
        _number("value"),
        _number("minutes"),
        _number("per_minute"),
        _number("fades_minutes"),
        _number("usual", nullable=True),
        _number("reach"),
        sa.PrimaryKeyConstraint("rule_key", name=op.f("pk_rule_worth")),
    )


def _make_ghosts() -> None:
    op.create_table(
        "ghost_task",
        sa.Column("firing_id", sa.Uuid(), nullable=False),
        _text("rule_key"),
        _time("look_at"),
        _time("looked_at", nullable=True),
        sa.Column("was_there", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("firing_id", name=op.f("pk_ghost_task")),
        sa.ForeignKeyConstraint(
            ["firing_id"], ["trigger_firing.id"], name=op.f("fk_ghost_task_firing_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_ghost_task_due", "ghost_task", ["look_at"], postgresql_where=sa.text("looked_at IS NULL")
    )


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: what was learned would be lost")
