"""Events in weekly partitions, write keys of their own, quarantined events that can be driven in again,
a rule version's whole life, and visits that remember each sighting.

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_EVENT_COLUMNS = (
    "source_id, message_id, customer_id, kind, name, journey, journey_key, step, role, key,"
    " event_time, received_at, historical, clamped, properties"
)
_EVENT_ID = (
    "substr(encode(sha256(convert_to(source_id::text || ':' || message_id, 'UTF8')), 'hex'), 1, 32)::uuid"
)
_WEEKS = """
DO $$
DECLARE week timestamptz;
BEGIN
  FOR week IN
    SELECT DISTINCT date_trunc('week', received_at, 'UTC') FROM journey_event_unparted
    UNION SELECT date_trunc('week', now(), 'UTC') + make_interval(weeks => n) FROM generate_series(0, 4) AS n
  LOOP
    EXECUTE format(
      'CREATE TABLE %I PARTITION OF journey_event FOR VALUES FROM (%L) TO (%L)',
      'journey_event_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW'), week, week + interval '7 days');
  END LOOP;
END $$
"""
_MARKS = """
UPDATE visit SET marks = coalesce((
  SELECT jsonb_object_agg(key, jsonb_build_array(
    value -> 0,
    (extract(epoch FROM (value ->> 1)::timestamptz) * 1000000)::bigint,
    CASE WHEN value -> 1 = value -> 2
      THEN jsonb_build_array((extract(epoch FROM (value ->> 1)::timestamptz) * 1000000)::bigint)
      ELSE jsonb_build_array((extract(epoch FROM (value ->> 1)::timestamptz) * 1000000)::bigint,
                             (extract(epoch FROM (value ->> 2)::timestamptz) * 1000000)::bigint) END))
  FROM jsonb_each(marks)), '{}')
"""


def upgrade() -> None:
    _part_events()
    _separate_write_keys()
    _widen_quarantine()
    _widen_rules()
    _widen_visits()


def _part_events() -> None:
    # The index names move with the old table, and are wanted for the new one.
    op.execute("ALTER TABLE journey_event RENAME TO journey_event_unparted")
    op.drop_index("ix_journey_event_customer_time", table_name="journey_event_unparted")
    op.drop_index("ix_journey_event_journey_time", table_name="journey_event_unparted")
    op.create_table(
        "journey_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("journey", sa.String(), nullable=True),
        sa.Column("journey_key", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("historical", sa.Boolean(), nullable=False),
        sa.Column("clamped", sa.Boolean(), nullable=False),
        sa.Column("properties", postgresql.JSONB(), nullable=False),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index("ix_journey_event_customer_time", "journey_event", ["customer_id", "event_time"])
    op.create_index("ix_journey_event_journey_time", "journey_event", ["journey", "event_time"])
    op.create_index("ix_journey_event_received", "journey_event", ["received_at"])
    op.execute("CREATE TABLE journey_event_default PARTITION OF journey_event DEFAULT")
    op.execute(_WEEKS)
    op.create_table(
        "event_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_receipt")),
    )
    op.create_table(
        "event_archive",
        sa.Column("partition", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_event_archive")),
    )
    op.execute(
        f"INSERT INTO journey_event (id, position, {_EVENT_COLUMNS})"  # noqa: S608 - our own words
        f" SELECT {_EVENT_ID}, 0, {_EVENT_COLUMNS} FROM journey_event_unparted ORDER BY id"
    )
    op.execute(
        "INSERT INTO event_receipt (id, received_at)"  # noqa: S608 - our own words
        f" SELECT {_EVENT_ID}, received_at FROM journey_event_unparted"
    )
    op.drop_table("journey_event_unparted")


def _separate_write_keys() -> None:
    op.create_table(
        "write_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["app_user.id"], name=op.f("fk_write_key_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["event_source.id"], name=op.f("fk_write_key_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_write_key_key_hash")),
    )
    op.create_index(op.f("ix_write_key_source_id"), "write_key", ["source_id"])
    op.execute(
        "INSERT INTO write_key (source_id, key_hash, hint, created_at)"
        " SELECT id, write_key_hash, '', created_at FROM event_source WHERE write_key_hash NOT LIKE 'no key: %'"
    )
    op.drop_column("event_source", "write_key_hash")
    op.add_column("event_source", sa.Column("requests_per_second", sa.Integer(), nullable=True))


def _widen_quarantine() -> None:
    op.add_column("quarantined_event", sa.Column("body", postgresql.JSONB(), nullable=True))
    op.add_column(
        "quarantined_event", sa.Column("state", sa.String(), nullable=False, server_default="open")
    )
    op.alter_column("quarantined_event", "state", server_default=None)
    op.add_column("quarantined_event", sa.Column("state_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("quarantined_event", sa.Column("state_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_quarantined_event_state_by"), "quarantined_event", "app_user", ["state_by"], ["id"]
    )
    op.create_index(
        "ix_quarantined_event_source_state", "quarantined_event", ["source_id", "state", "received_at"]
    )


def _widen_rules() -> None:
    add = [
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=False, server_default=""),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("moves_open_visits", sa.Boolean(), nullable=False, server_default="true"),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
    ]
    for column in add:
        op.add_column("trigger_rule", column)
    for name in ("created_by", "submitted_by", "published_by"):
        op.create_foreign_key(
            op.f(f"fk_trigger_rule_{name}"), "trigger_rule", "app_user", [name], ["id"]
        )
    op.alter_column("trigger_rule", "note", server_default=None)
    op.alter_column("trigger_rule", "moves_open_visits", server_default=None)
    op.execute("UPDATE trigger_rule SET published_at = created_at")
    op.execute("UPDATE trigger_rule SET superseded_at = state_at WHERE state = 'retired'")


def _widen_visits() -> None:
    op.add_column("visit", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE visit SET opened_at = entered_at")
    op.alter_column("visit", "opened_at", nullable=False)
    op.add_column(
        "visit", sa.Column("facts_at", postgresql.JSONB(), nullable=False, server_default="{}")
    )
    op.alter_column("visit", "facts_at", server_default=None)
    op.execute(_MARKS)
    # Room on each page for the next version of a visit: an update that moves no clock touches no index then.
    op.execute("ALTER TABLE visit SET (fillfactor = 70)")


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: events have moved into partitions")
