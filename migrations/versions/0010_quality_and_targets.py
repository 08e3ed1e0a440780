"""Scorecards and reviews, checks of dispositions, targets and points, lists that people bring in.

Revision ID: 0010
Revises: 0009
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _make_reviews()
    _make_checks()
    _make_targets()
    _widen_lists()


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def _whole(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _counted() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _key(table: str, name: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_{table}_{name}"))


def _make_reviews() -> None:
    op.create_table(
        "scorecard",
        _id("id"),
        _text("key"),
        _whole("version"),
        _json("title"),
        _json("questions"),
        _whole("pass_mark"),
        _time("made_at"),
        _id("made_by", nullable=True),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorecard")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_scorecard_key_version")),
        _key("scorecard", "made_by", "app_user.id"),
    )
    op.create_index(
        "uq_scorecard_in_use", "scorecard", ["key"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "review",
        _id("id"),
        _id("attempt_id"),
        _whole("seq"),
        _id("agent_id"),
        _id("scorecard_id"),
        _text("because"),
        _json("marks"),
        _json("remarks"),
        _text("comment"),
        _whole("score"),
        _json("failed"),
        _id("reviewer_id"),
        _time("at"),
        _time("acknowledged_at", nullable=True),
        _time("disputed_at", nullable=True),
        _text("dispute"),
        _time("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("attempt_id", "seq", name=op.f("uq_review_attempt_id_seq")),
        _key("review", "attempt_id", "contact_attempt.id"),
        _key("review", "agent_id", "agent.id"),
        _key("review", "scorecard_id", "scorecard.id"),
        _key("review", "reviewer_id", "app_user.id"),
    )
    op.create_index("ix_review_agent", "review", ["agent_id", "at"])
    op.create_index(op.f("ix_review_at"), "review", ["at"])
    op.create_table(
        "review_plan",
        _time("set_at"),
        _whole("a_week"),
        _id("set_by", nullable=True),
        sa.PrimaryKeyConstraint("set_at", name=op.f("pk_review_plan")),
        _key("review_plan", "set_by", "app_user.id"),
    )


def _make_checks() -> None:
    op.add_column("disposition", sa.Column("corrected_code", sa.String(), nullable=True))
    op.create_foreign_key(
        op.f("fk_disposition_corrected_code"), "disposition", "disposition_kind", ["corrected_code"], ["code"]
    )
    counts_as = sa.Computed("coalesce(corrected_code, kind_code)", persisted=True)
    op.add_column("disposition", sa.Column("counts_as", sa.String(), counts_as, nullable=True))
    op.create_table(
        "disposition_check",
        _counted(),
        _id("attempt_id"),
        _id("agent_id"),
        _text("said_code"),
        _text("found_code"),
        _json("evidence"),
        _text("reason"),
        _time("checked_at"),
        _id("checked_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition_check")),
        _key("disposition_check", "attempt_id", "disposition.attempt_id"),
        _key("disposition_check", "agent_id", "agent.id"),
        _key("disposition_check", "said_code", "disposition_kind.code"),
        _key("disposition_check", "found_code", "disposition_kind.code"),
        _key("disposition_check", "checked_by", "app_user.id"),
    )
    op.create_index(op.f("ix_disposition_check_attempt_id"), "disposition_check", ["attempt_id"])
    op.create_index(op.f("ix_disposition_check_checked_at"), "disposition_check", ["checked_at"])


def _make_targets() -> None:
    op.create_table(
        "target",
        _counted(),
        _text("scope"),
        _text("subject"),
        _text("measure"),
        _text("period"),
        _whole("value"),
        _time("set_at"),
        _id("set_by"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
        _key("target", "set_by", "app_user.id"),
    )
    op.create_index(
        "uq_target_in_force",
        "target",
        ["scope", "subject", "measure", "period"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "points_scheme",
        _counted(),
        _json("points"),
        _time("set_at"),
        _id("set_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_points_scheme")),
        _key("points_scheme", "set_by", "app_user.id"),
    )


def _add(column: sa.Column, first: str) -> None:
    """Add a column that old rows have a value in, and new ones bring themselves."""
    column.server_default = sa.DefaultClause(sa.text(first))
    op.add_column("list_import", column)
    op.alter_column("list_import", column.name, server_default=None)


def _widen_lists() -> None:
    op.alter_column("list_import", "token_id", nullable=True)
    op.add_column("list_import", _id("user_id", nullable=True))
    op.create_foreign_key(op.f("fk_list_import_user_id"), "list_import", "app_user", ["user_id"], ["id"])
    op.create_index("ix_list_import_digest", "list_import", ["digest"])
    _add(sa.Column("is_draft", sa.Boolean(), nullable=False), "false")
    _add(_json("foreseen"), "'[]'")
    _add(_json("opened"), "'[]'")
    op.add_column("list_import", _time("undone_at", nullable=True))
    _add(_whole("tasks_undone"), "0")


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: reviews and corrections would be lost")
