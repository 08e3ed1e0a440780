"""Acts on many call tasks with their undo, alerts with who has them, links for televisions, agents' past states.

Revision ID: 0007
Revises: 0006
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KEEP_STATES = """
CREATE FUNCTION keep_agent_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO agent_state (agent_id, at, presence, work_state)
  VALUES (NEW.id, greatest(NEW.presence_at, NEW.work_state_at), NEW.presence, NEW.work_state);
  RETURN NULL;
END $$;
CREATE TRIGGER agent_state_begun AFTER INSERT ON agent FOR EACH ROW EXECUTE FUNCTION keep_agent_state();
CREATE TRIGGER agent_state_changed AFTER UPDATE OF presence, work_state ON agent FOR EACH ROW
  WHEN (OLD.presence IS DISTINCT FROM NEW.presence OR OLD.work_state IS DISTINCT FROM NEW.work_state)
  EXECUTE FUNCTION keep_agent_state();
INSERT INTO agent_state (agent_id, at, presence, work_state)
SELECT id, greatest(presence_at, work_state_at), presence, work_state FROM agent;
"""


def upgrade() -> None:
    op.add_column("call_task", _time("owner_until", nullable=True))
    _make_dispatch()
    _make_alerts()
    _make_links()
    _make_states()


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _counted() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _by(table: str, name: str, *, nullable: bool = True) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], ["app_user.id"], name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, sa.Uuid(), nullable=nullable), key


def _make_dispatch() -> None:
    op.create_table(
        "dispatch",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("act"),
        _json("wanted"),
        _whole("matched"),
        _json("planned"),
        _whole("worked"),
        _json("changed"),
        _json("refused"),
        _time("made_at"),
        *_by("dispatch", "made_by", nullable=False),
        _time("done_at", nullable=True),
        _time("undone_at", nullable=True),
        _whole("looked_at"),
        _json("lost"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
    )
    op.create_index(op.f("ix_dispatch_made_at"), "dispatch", ["made_at"])


def _make_alerts() -> None:
    op.create_table(
        "floor_alert",
        _counted(),
        _text("key"),
        _text("kind"),
        _text("subject"),
        _text("tone"),
        _whole("measure"),
        _time("since"),
        _time("raised_at"),
        _time("acknowledged_at", nullable=True),
        *_by("floor_alert", "acknowledged_by"),
        _whole("acknowledged_measure", nullable=True),
        _text("note"),
        _time("worsened_at", nullable=True),
        _time("cleared_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_floor_alert")),
    )
    op.create_index(op.f("ix_floor_alert_raised_at"), "floor_alert", ["raised_at"])
    op.create_index(
        "uq_floor_alert_open", "floor_alert", ["key"], unique=True, postgresql_where=sa.text("cleared_at IS NULL")
    )
    op.create_table(
        "team_threshold",
        _text("team"),
        _whole("wrap_up_seconds"),
        _whole("not_ready_minutes", nullable=True),
        _whole("talk_minutes", nullable=True),
        _whole("overdue_tasks"),
        _time("changed_at"),
        *_by("team_threshold", "changed_by"),
        sa.PrimaryKeyConstraint("team", name=op.f("pk_team_threshold")),
    )


def _make_links() -> None:
    op.create_table(
        "wallboard_link",
        _counted(),
        _text("name"),
        _text("token_hash"),
        _text("hint"),
        _text("language"),
        _text("theme"),
        _text("time_zone"),
        _time("created_at"),
        *_by("wallboard_link", "created_by"),
        _time("expires_at"),
        _time("revoked_at", nullable=True),
        *_by("wallboard_link", "revoked_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallboard_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_wallboard_link_token_hash")),
    )


def _make_states() -> None:
    op.create_table(
        "agent_state",
        _counted(),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        _time("at"),
        _text("presence"),
        _text("work_state"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_state")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_agent_state_agent_id")),
    )
    op.create_index("ix_agent_state_agent", "agent_state", ["agent_id", "at"])
    op.create_index(op.f("ix_agent_state_at"), "agent_state", ["at"])
    op.execute(_KEEP_STATES)


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: alerts and acts would be lost")
