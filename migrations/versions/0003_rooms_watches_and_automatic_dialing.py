"""What we want of a room beside what the carrier says it is, supervisors' watches, the carrier's days, and
automatic dialing: campaigns, the one switch with the constraint behind it, pacing decisions.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A switch that is off makes an automatic attempt impossible, whatever a program believes. The shared lock lets
# dials go on side by side and makes switching off wait for the dials that were just allowed.
_SWITCH = """
CREATE FUNCTION refuse_automatic_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM dialing_switch WHERE id = 1 AND automatic_allowed FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'automatic dialing is switched off' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'automatic_dialing_is_allowed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER automatic_dialing_is_allowed BEFORE INSERT ON contact_attempt FOR EACH ROW
  WHEN (NEW.mode IN ('progressive', 'power', 'predictive')) EXECUTE FUNCTION refuse_automatic_attempt();
INSERT INTO dialing_switch (id, automatic_allowed, changed_at) VALUES (1, false, now());
"""


def upgrade() -> None:
    op.add_column("app_user", sa.Column("telephone", sa.String(), nullable=True))
    _make_dialing()
    _widen_attempts()
    _widen_rooms()
    op.execute(_SWITCH)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _make_dialing() -> None:
    op.create_table(
        "campaign",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("lines_per_agent", sa.Float(), nullable=False),
        sa.Column("drops_machines", sa.Boolean(), nullable=False),
        _time("changed_at"),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["changed_by"], ["app_user.id"], name=op.f("fk_campaign_changed_by")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_campaign")),
    )
    op.create_table(
        "dialing_switch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("automatic_allowed", sa.Boolean(), nullable=False),
        _time("changed_at"),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_dialing_switch_one_row")),
        sa.ForeignKeyConstraint(["changed_by"], ["app_user.id"], name=op.f("fk_dialing_switch_changed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialing_switch")),
    )
    op.create_table(
        "pacing_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _time("at"),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("dialed", sa.Integer(), nullable=False),
        sa.Column("canceled", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pacing_decision")),
    )
    op.create_index(op.f("ix_pacing_decision_at"), "pacing_decision", ["at"])
    op.create_index("ix_pacing_decision_campaign", "pacing_decision", ["campaign", "at"])


def _widen_attempts() -> None:
    op.alter_column("contact_attempt", "agent_id", nullable=True)
    op.add_column("contact_attempt", sa.Column("campaign", sa.String(), nullable=True))
    op.execute(
        "UPDATE contact_attempt a SET campaign = t.journey FROM call_task t WHERE t.id = a.call_task_id"
    )
    op.alter_column("contact_attempt", "campaign", nullable=False)
    op.add_column(
        "contact_attempt", sa.Column("mode", sa.String(), nullable=False, server_default="preview")
    )
    op.alter_column("contact_attempt", "mode", server_default=None)
    op.add_column("contact_attempt", sa.Column("answered_by", sa.String(), nullable=True))
    op.add_column("contact_attempt", sa.Column("room_agent_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE contact_attempt SET room_agent_id = agent_id WHERE bridged_at IS NOT NULL")
    for name in ("hold_wanted", "is_held", "pause_wanted", "is_paused"):
        _add_no("contact_attempt", name)
    op.add_column("contact_attempt", _time("agent_lost_at", nullable=True))
    for name in ("recording_ref", "recording_state"):
        op.add_column("contact_attempt", sa.Column(name, sa.String(), nullable=True))
    op.add_column("contact_attempt", sa.Column("recording_seconds", sa.Integer(), nullable=True))
    op.create_index(
        "ix_contact_attempt_answered",
        "contact_attempt",
        ["campaign", "answered_at"],
        postgresql_where=sa.text("answered_at IS NOT NULL"),
    )


def _widen_rooms() -> None:
    for name in ("mute_wanted", "is_muted"):
        _add_no("agent_leg", name)
    op.add_column("agent_leg", sa.Column("room_ref", sa.String(), nullable=True))
    op.add_column("agent_leg", sa.Column("room_seq", sa.Integer(), nullable=False, server_default="-1"))
    op.alter_column("agent_leg", "room_seq", server_default=None)
    op.create_table(
        "watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("mode_wanted", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("carrier_ref", sa.String(), nullable=True),
        _time("asked_at"),
        _time("joined_at", nullable=True),
        _time("end_asked_at", nullable=True),
        _time("ended_at", nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_watch_agent_id")),
        sa.ForeignKeyConstraint(["supervisor_id"], ["app_user.id"], name=op.f("fk_watch_supervisor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
    )
    op.create_index(op.f("ix_watch_carrier_ref"), "watch", ["carrier_ref"])
    op.create_index("ix_watch_agent", "watch", ["agent_id", "asked_at"])
    op.create_index(
        "uq_watch_live_supervisor",
        "watch",
        ["supervisor_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "carrier_day",
        sa.Column("day_on", sa.Date(), nullable=False),
        _time("checked_at"),
        sa.Column("carrier_calls", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unknown_to_us", sa.Integer(), nullable=False),
        sa.Column("unknown_to_carrier", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day_on", name=op.f("pk_carrier_day")),
    )
    op.alter_column("carrier_inbox", "attempt_id", new_column_name="subject_id")
    op.alter_column("carrier_inbox", "state", new_column_name="what")
    op.execute("ALTER INDEX ix_carrier_inbox_attempt_id RENAME TO ix_carrier_inbox_subject_id")


def _add_no(table: str, name: str) -> None:
    op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: automatic attempts have no agent")
