"""Tokens of the bank's other systems, answers kept for repeated requests, lists that came over HTTP, callbacks
without an attempt, and webhooks: what is told of is written in the transaction of the fact, whoever writes it.

Revision ID: 0005
Revises: 0004
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TELL = """
CREATE FUNCTION webhook_tell(told text, fact text, at timestamptz, data jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO webhook_delivery (endpoint_id, event_id, kind, payload, created_at, state, state_at, tries_from,
                                due_at, tries)
  SELECT e.id, substr(encode(sha256(convert_to(told || ':' || fact, 'UTF8')), 'hex'), 1, 32)::uuid, told,
         jsonb_build_object('at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', data),
         at, 'pending', at, at, at, 0
    FROM webhook_endpoint e WHERE e.is_enabled AND e.deleted_at IS NULL AND e.kinds @> to_jsonb(ARRAY[told])
  ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION webhook_of_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell(TG_ARGV[0], NEW.id::text, coalesce(NEW.closed_at, NEW.created_at), jsonb_build_object(
    'call_task_id', NEW.id, 'customer_id', NEW.customer_id, 'journey', NEW.journey, 'step', NEW.step,
    'rule', NEW.rule_key, 'purpose', NEW.purpose, 'state', NEW.state, 'cancel_reason', NEW.cancel_reason,
    'attempts', NEW.attempts));
  RETURN NULL;
END $$;
CREATE FUNCTION webhook_of_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell('attempt.ended', NEW.id::text, coalesce(NEW.ended_at, NEW.last_news_at),
    jsonb_build_object('attempt_id', NEW.id, 'call_task_id', NEW.call_task_id, 'customer_id', NEW.customer_id,
    'result', NEW.result, 'talk_seconds', NEW.talk_seconds));
  RETURN NULL;
END $$;
CREATE FUNCTION webhook_of_disposition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  attempt record;
BEGIN
  SELECT call_task_id, customer_id INTO attempt FROM contact_attempt WHERE id = NEW.attempt_id;
  PERFORM webhook_tell('disposition.saved', NEW.attempt_id::text, NEW.at, jsonb_build_object(
    'attempt_id', NEW.attempt_id, 'call_task_id', attempt.call_task_id, 'customer_id', attempt.customer_id,
    'disposition', NEW.kind_code, 'causes', NEW.causes));
  RETURN NULL;
END $$;
CREATE FUNCTION webhook_of_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell('outcome.converted', NEW.firing_id::text, NEW.converted_at, jsonb_build_object(
    'firing_id', NEW.firing_id, 'customer_id', NEW.customer_id, 'journey', NEW.journey,
    'converted_step', NEW.converted_step,
    'call_task_id', (SELECT t.id FROM call_task t WHERE t.firing_id = NEW.firing_id)));
  RETURN NULL;
END $$;
CREATE FUNCTION webhook_of_suppression() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell('customer.opted_out', NEW.id::text, NEW.created_at, jsonb_build_object(
    'suppression_id', NEW.id, 'customer_id', NEW.customer_id, 'kind', NEW.kind, 'scope', NEW.scope,
    'purpose', NEW.purpose));
  RETURN NULL;
END $$;
CREATE FUNCTION webhook_of_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM webhook_tell('consent.changed', NEW.id::text, NEW.created_at, jsonb_build_object(
    'consent_id', NEW.id, 'customer_id', NEW.customer_id, 'purpose', NEW.purpose, 'act', NEW.act));
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_opened AFTER INSERT ON call_task FOR EACH ROW
  EXECUTE FUNCTION webhook_of_task('call_task.opened');
CREATE TRIGGER webhook_closed AFTER UPDATE OF closed_at ON call_task FOR EACH ROW
  WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL) EXECUTE FUNCTION webhook_of_task('call_task.closed');
CREATE TRIGGER webhook_ended AFTER UPDATE OF state ON contact_attempt FOR EACH ROW
  WHEN (OLD.state <> 'ended' AND NEW.state = 'ended') EXECUTE FUNCTION webhook_of_attempt();
CREATE TRIGGER webhook_saved AFTER INSERT ON disposition FOR EACH ROW EXECUTE FUNCTION webhook_of_disposition();
CREATE TRIGGER webhook_converted AFTER UPDATE OF converted_at ON outcome FOR EACH ROW
  WHEN (OLD.converted_at IS NULL AND NEW.converted_at IS NOT NULL) EXECUTE FUNCTION webhook_of_outcome();
CREATE TRIGGER webhook_opted_out AFTER INSERT ON suppression FOR EACH ROW
  WHEN (NEW.lifts_id IS NULL AND NEW.customer_id IS NOT NULL AND NEW.kind IN ('do_not_call', 'objection'))
  EXECUTE FUNCTION webhook_of_suppression();
CREATE TRIGGER webhook_changed AFTER INSERT ON consent FOR EACH ROW EXECUTE FUNCTION webhook_of_consent();
"""


def upgrade() -> None:
    _make_tokens()
    _make_lists()
    _make_webhooks()
    op.alter_column("callback", "attempt_id", nullable=True)
    op.create_index(
        "ix_outcome_converted", "outcome", ["converted_at"], postgresql_where=sa.text("converted_at IS NOT NULL")
    )
    op.execute(_TELL)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _counted() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _by(table: str, name: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], ["app_user.id"], name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, sa.Uuid(), nullable=True), key


def _make_tokens() -> None:
    op.create_table(
        "api_token",
        _counted(),
        _text("token_hash"),
        _text("hint"),
        _text("name"),
        _json("scopes"),
        _whole("requests_per_minute"),
        _time("created_at"),
        *_by("api_token", "created_by"),
        _time("expires_at", nullable=True),
        _time("revoked_at", nullable=True),
        *_by("api_token", "revoked_by"),
        _time("last_used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(
        "uq_api_token_name", "api_token", ["name"], unique=True, postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.create_table(
        "api_answer",
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        _text("key"),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        _whole("status"),
        _json("body"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_api_answer")),
    )
    op.create_index(op.f("ix_api_answer_created_at"), "api_answer", ["created_at"])


def _make_lists() -> None:
    op.create_table(
        "list_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        _text("name"),
        _text("digest"),
        _json("wanted"),
        _json("rows"),
        _time("created_at"),
        _time("ended_at", nullable=True),
        _whole("rows_total"),
        _whole("rows_done"),
        _whole("tasks_opened"),
        _json("refused"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_import")),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_list_import_token_id")),
    )
    op.create_index(op.f("ix_list_import_created_at"), "list_import", ["created_at"])


def _make_webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("url"),
        _text("secret"),
        _text("former_secret", nullable=True),
        _time("former_ends_at", nullable=True),
        _json("kinds"),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        _whole("failures"),
        _time("rests_until", nullable=True),
        _time("created_at"),
        _text("created_by"),
        _time("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_table(
        "webhook_delivery",
        _counted(),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        _text("kind"),
        _json("payload"),
        _time("created_at"),
        _text("state"),
        _time("state_at"),
        _time("tries_from"),
        _time("due_at"),
        _time("claimed_until", nullable=True),
        _whole("tries"),
        _whole("last_status", nullable=True),
        _text("last_error", nullable=True),
        _text("response", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id")
        ),
        sa.UniqueConstraint("endpoint_id", "event_id", name=op.f("uq_webhook_delivery_endpoint_id_event_id")),
    )
    op.create_index(op.f("ix_webhook_delivery_created_at"), "webhook_delivery", ["created_at"])
    op.create_index("ix_webhook_delivery_state", "webhook_delivery", ["endpoint_id", "state", "id"])
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["endpoint_id", "due_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: tokens and deliveries would be lost")
