"""What customers say: suggestions grouped, surveys by link; segments, and tags of agents apart from the bank's.

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TELL = """
CREATE FUNCTION webhook_of_survey() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell('survey.invited', NEW.id::text, NEW.created_at, jsonb_build_object(
    'survey_id', NEW.id, 'attempt_id', NEW.attempt_id, 'call_task_id', NEW.call_task_id,
    'customer_id', NEW.customer_id, 'journey', NEW.journey, 'rule', NEW.rule_key, 'language', NEW.language,
    'expires_at', to_char(NEW.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_invited AFTER INSERT ON survey_invite FOR EACH ROW
  WHEN (NEW.withheld IS NULL) EXECUTE FUNCTION webhook_of_survey();
"""


def upgrade() -> None:
    _make_tags()
    _make_suggestions()
    _make_surveys()
    op.execute(_TELL)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _yes_or_no(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, **more: object) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False, **more)


def _refers(table: str, name: str, to: str, *, nullable: bool = False) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], [to], name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, sa.Uuid(), nullable=nullable), key


def _make_tags() -> None:
    op.add_column("customer", _json("agent_tags", server_default="[]"))
    op.add_column("customer", _json("segments", server_default="[]"))
    op.add_column("customer", _text("survey_group", nullable=True))
    op.create_index(
        "ix_customer_segments",
        "customer",
        ["segments"],
        postgresql_using="gin",
        postgresql_where=sa.text("segments <> '[]'::jsonb"),
    )
    op.create_table(
        "segment",
        _text("key"),
        _json("title"),
        _json("definition"),
        _time("created_at"),
        *_refers("segment", "created_by", "app_user.id"),
        _time("changed_at"),
        _time("ended_at", nullable=True),
        _time("tried_at", nullable=True),
        _time("computed_at", nullable=True),
        _whole("size", nullable=True),
        _whole("took_ms"),
        _yes_or_no("is_settled"),
        _text("trouble", nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_segment")),
    )
    op.create_table(
        "agent_tag",
        _text("code"),
        _json("label"),
        _yes_or_no("is_active"),
        _time("created_at"),
        *_refers("agent_tag", "created_by", "app_user.id"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agent_tag")),
    )


def _make_suggestions() -> None:
    op.create_table(
        "suggestion",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("title"),
        _text("state"),
        _text("reason"),
        *_refers("suggestion", "owner_id", "app_user.id", nullable=True),
        *_refers("suggestion", "merged_into_id", "suggestion.id", nullable=True),
        _time("created_at"),
        *_refers("suggestion", "created_by", "app_user.id"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
    )
    op.create_table(
        "suggestion_link",
        *_refers("suggestion_link", "attempt_id", "product_suggestion.attempt_id"),
        *_refers("suggestion_link", "suggestion_id", "suggestion.id"),
        _time("linked_at"),
        *_refers("suggestion_link", "linked_by", "app_user.id"),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_suggestion_link")),
    )
    op.create_index(op.f("ix_suggestion_link_suggestion_id"), "suggestion_link", ["suggestion_id"])


def _make_surveys() -> None:
    op.create_table(
        "survey_setting",
        _text("journey"),
        _text("rule_key"),
        _yes_or_no("is_on"),
        _time("changed_at"),
        *_refers("survey_setting", "changed_by", "app_user.id"),
        sa.PrimaryKeyConstraint("journey", "rule_key", name=op.f("pk_survey_setting")),
    )
    op.create_table(
        "survey_invite",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_refers("survey_invite", "attempt_id", "contact_attempt.id"),
        *_refers("survey_invite", "call_task_id", "call_task.id"),
        *_refers("survey_invite", "customer_id", "customer.id"),
        _text("journey"),
        _text("step"),
        _text("rule_key"),
        _text("language"),
        _time("created_at"),
        _time("expires_at"),
        _text("withheld", nullable=True),
        _time("answered_at", nullable=True),
        _whole("score", nullable=True),
        _text("answer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_invite")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_survey_invite_attempt_id")),
    )
    op.create_index("ix_survey_invite_customer", "survey_invite", ["customer_id", "created_at"])
    op.create_index("ix_survey_invite_created", "survey_invite", ["created_at"])
    op.create_index(
        "ix_survey_invite_answered",
        "survey_invite",
        ["answered_at"],
        postgresql_where=sa.text("answered_at IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: answers and segments would be lost")
