"""Offers that agents may grant and each grant, told to webhooks; firings folded into call tasks of any journey.

Revision ID: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TELL = """
CREATE FUNCTION webhook_of_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell(TG_ARGV[0], NEW.id::text, coalesce(NEW.taken_back_at, NEW.granted_at), jsonb_build_object(
    'grant_id', NEW.id, 'offer', NEW.offer_code, 'offer_version', NEW.offer_version, 'value', NEW.value::text,
    'cost', NEW.cost::text, 'currency', NEW.currency, 'attempt_id', NEW.attempt_id,
    'call_task_id', NEW.call_task_id, 'customer_id', NEW.customer_id));
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_granted AFTER INSERT ON offer_grant FOR EACH ROW
  EXECUTE FUNCTION webhook_of_grant('offer.granted');
CREATE TRIGGER webhook_taken_back AFTER UPDATE OF taken_back_at ON offer_grant FOR EACH ROW
  WHEN (OLD.taken_back_at IS NULL AND NEW.taken_back_at IS NOT NULL)
  EXECUTE FUNCTION webhook_of_grant('offer.taken_back');
CREATE OR REPLACE FUNCTION webhook_of_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell('outcome.converted', NEW.firing_id::text, NEW.converted_at, jsonb_build_object(
    'firing_id', NEW.firing_id, 'customer_id', NEW.customer_id, 'journey', NEW.journey,
    'converted_step', NEW.converted_step,
    'call_task_id', (SELECT coalesce(t.id, f.merged_into) FROM trigger_firing f
                       LEFT JOIN call_task t ON t.firing_id = f.id WHERE f.id = NEW.firing_id)));
  RETURN NULL;
END $$;
"""


def upgrade() -> None:
    op.add_column("trigger_firing", sa.Column("merged_into", sa.Uuid(), nullable=True))
    for name, column in (("merged", "merged_into"), ("merged_visit", "visit_id")):
        op.create_index(
            f"ix_trigger_firing_{name}",
            "trigger_firing",
            [column],
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )
    op.add_column("call_task", sa.Column("lead_firing_id", sa.Uuid(), nullable=True))
    op.add_column(
        "call_task", sa.Column("own_terms", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'"))
    )
    _make_offers()
    _make_grants()
    op.execute(_TELL)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _money(name: str) -> sa.Column:
    return sa.Column(name, sa.Numeric(precision=14, scale=2), nullable=False)


def _of(table: str, name: str, target: str, kind: sa.types.TypeEngine) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, kind, nullable=name == "changed_by"), key


def _make_offers() -> None:
    op.create_table(
        "offer",
        _text("code"),
        _whole("version"),
        _json("name"),
        _json("words"),
        _text("currency"),
        _money("value"),
        _money("cost"),
        _json("journeys"),
        _json("steps"),
        _json("rules"),
        _json("tags"),
        _time("valid_from"),
        _time("valid_until", nullable=True),
        _whole("per_customer", nullable=True),
        _whole("per_customer_days", nullable=True),
        _whole("per_agent_day", nullable=True),
        _whole("per_day", nullable=True),
        _text("time_zone"),
        _time("created_at"),
        _time("changed_at"),
        *_of("offer", "changed_by", "app_user.id", sa.Uuid()),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_offer")),
    )


def _make_grants() -> None:
    op.create_table(
        "offer_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of("offer_grant", "offer_code", "offer.code", sa.String()),
        _whole("offer_version"),
        *_of("offer_grant", "attempt_id", "contact_attempt.id", sa.Uuid()),
        *_of("offer_grant", "call_task_id", "call_task.id", sa.Uuid()),
        *_of("offer_grant", "customer_id", "customer.id", sa.Uuid()),
        *_of("offer_grant", "agent_id", "agent.id", sa.Uuid()),
        _text("currency"),
        _money("value"),
        _money("cost"),
        _time("granted_at"),
        sa.Column("day_on", sa.Date(), nullable=False),
        _time("taken_back_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_grant")),
    )
    op.create_index(op.f("ix_offer_grant_attempt_id"), "offer_grant", ["attempt_id"])
    op.create_index(op.f("ix_offer_grant_granted_at"), "offer_grant", ["granted_at"])
    op.create_index("ix_offer_grant_customer", "offer_grant", ["customer_id", "offer_code", "granted_at"])
    standing = sa.text("taken_back_at IS NULL")
    op.create_index("ix_offer_grant_day", "offer_grant", ["offer_code", "day_on"], postgresql_where=standing)
    op.create_index(
        "uq_offer_grant_attempt", "offer_grant", ["attempt_id", "offer_code"], unique=True, postgresql_where=standing
    )


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: grants would be lost")
