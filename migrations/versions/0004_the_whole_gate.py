"""The whole compliance gate: ledgers of suppression and consent, lists, packs put in force here, changes that
need a second person, purposes of calls, the hash chain over the ledgers, erasure.

Revision ID: 0004
Revises: 0003
"""

import os
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What is a ledger is only ever added to. Rows past their keeping are removed by a job that says so.
_APPEND_ONLY = """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('callcenter.past_keeping', true) = 'on' THEN RETURN OLD; END IF;
  RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'check_violation',
    CONSTRAINT = 'ledger_is_append_only';
END $$;
"""
# Whatever a program believes: no dial is committed to that the gate has not allowed at this very moment.
_SCREENED = """
CREATE FUNCTION refuse_unscreened_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM screening_decision WHERE call_task_id = NEW.call_task_id AND point = 'dial'
                    AND may_call AND asked_at = NEW.claimed_at AND customer_id = NEW.customer_id) THEN
    RAISE EXCEPTION 'the compliance gate has not allowed this dial' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'attempt_was_screened';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER gate_allowed_the_dial BEFORE INSERT ON contact_attempt FOR EACH ROW
  WHEN (NEW.state <> 'ended') EXECUTE FUNCTION refuse_unscreened_attempt();
"""
_LEDGERS = ("suppression", "consent", "screening_decision", "audit_entry", "audit_link")


def upgrade() -> None:
    _make_suppression()
    _make_consent()
    _make_changes()
    _make_evidence()
    _widen()
    op.execute(_SCREENED)
    op.execute(_APPEND_ONLY)
    for table in _LEDGERS:
        op.execute(
            f"CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
        )


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable)


def _counted() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _by(table: str, name: str, *, nullable: bool = True) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], ["app_user.id"], name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, sa.Uuid(), nullable=nullable), key


def _make_suppression() -> None:
    op.create_table(
        "suppression",
        _counted(),
        _text("kind"),
        _text("scope"),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("number_hash", sa.LargeBinary(), nullable=True),
        _text("key_fingerprint", nullable=True),
        _text("purpose", nullable=True),
        _text("campaign", nullable=True),
        _text("source"),
        _text("reason"),
        _text("proof"),
        _time("created_at"),
        *_by("suppression", "created_by"),
        _time("expires_at", nullable=True),
        sa.Column("lifts_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.CheckConstraint(
            "number_hash IS NULL OR key_fingerprint IS NOT NULL",
            name=op.f("ck_suppression_hash_names_its_key"),
        ),
    )
    op.create_index(op.f("ix_suppression_customer_id"), "suppression", ["customer_id"])
    op.create_index(op.f("ix_suppression_number_hash"), "suppression", ["number_hash"])
    op.create_index(
        "ix_suppression_lifts", "suppression", ["lifts_id"], postgresql_where=sa.text("lifts_id IS NOT NULL")
    )
    op.create_index(
        "ix_suppression_key",
        "suppression",
        ["key_fingerprint"],
        postgresql_where=sa.text("number_hash IS NOT NULL"),
    )
    _move_old_entries()
    op.create_table(
        "suppression_list",
        _counted(),
        _text("key"),
        _text("source"),
        _text("purpose", nullable=True),
        _time("imported_at"),
        *_by("suppression_list", "imported_by"),
        _time("as_of"),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        _text("key_fingerprint", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_list")),
    )
    op.create_index(
        "uq_suppression_list_in_force",
        "suppression_list",
        ["key"],
        unique=True,
        postgresql_where=sa.text("in_force"),
    )
    op.create_table(
        "suppression_list_number",
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number_hash", "list_id", name=op.f("pk_suppression_list_number")),
    )


def _move_old_entries() -> None:
    """Numbers stood in the old list as they are; they go into the new one as keyed hashes."""
    from callcenter.compliance.number_key import fingerprint_of
    from callcenter.compliance.numbers import hash_number

    connection = op.get_bind()
    old = connection.execute(
        sa.text("SELECT customer_id, number, source, reason, created_at, expires_at FROM do_not_call_entry")
    ).all()
    key = context.config.attributes.get("number_key") or os.environ.get("NUMBER_KEY", "").encode()
    if old and not key and any(row.number for row in old):
        raise SystemExit("set NUMBER_KEY (see docs/settings.md): the do-not-call list is moved into hashes")
    for row in old:
        connection.execute(
            sa.text(
                "INSERT INTO suppression (kind, scope, customer_id, number_hash, key_fingerprint, source,"
                " reason, proof, created_at, expires_at) VALUES ('do_not_call', 'global', :customer_id,"
                " :number_hash, :key_fingerprint, :source, :reason, '', :created_at, :expires_at)"
            ),
            {
                **{name: getattr(row, name) for name in ("customer_id", "source", "reason")},
                "created_at": row.created_at,
                "expires_at": row.expires_at,
                "number_hash": hash_number(key, row.number) if row.number else None,
                "key_fingerprint": fingerprint_of(key) if row.number else None,
            },
        )
    op.drop_table("do_not_call_entry")


def _make_consent() -> None:
    op.create_table(
        "consent",
        _counted(),
        _text("act"),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        _text("purpose"),
        _text("text_version"),
        _text("proof"),
        _text("source"),
        _time("at"),
        _time("expires_at", nullable=True),
        _time("created_at"),
        *_by("consent", "created_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_customer", "consent", ["customer_id", "purpose"])


def _make_changes() -> None:
    op.create_table(
        "pack_version",
        _counted(),
        _text("pack"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        _text("text"),
        _time("approved_at"),
        *_by("pack_version", "approved_by", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_version")),
    )
    op.create_table(
        "compliance_change",
        _counted(),
        _text("kind"),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        _text("why"),
        _text("state"),
        _time("asked_at"),
        *_by("compliance_change", "asked_by", nullable=False),
        _time("decided_at", nullable=True),
        *_by("compliance_change", "decided_by"),
        _text("decision_note"),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_compliance_change_second_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compliance_change")),
    )
    op.create_index(
        "ix_compliance_change_waiting",
        "compliance_change",
        ["asked_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _make_evidence() -> None:
    op.create_table(
        "audit_link",
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        _text("ledger"),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _time("sealed_at"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("ledger", "row_id", name=op.f("uq_audit_link_ledger_row_id")),
    )
    op.create_table(
        "erasure",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        _time("at"),
        *_by("erasure", "by_user_id"),
        _text("why"),
        sa.Column("erased", postgresql.JSONB(), nullable=False),
        sa.Column("kept", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_erasure")),
    )
    op.add_column("customer", _time("erased_at", nullable=True))


def _widen() -> None:
    for table in ("call_task", "contact_attempt", "screening_decision"):
        _add(table, _text("purpose"), "'service'")
    _add("screening_decision", _text("campaign"), "''")
    op.add_column("screening_decision", _time("for_at", nullable=True))
    op.execute("UPDATE screening_decision SET for_at = asked_at")
    op.alter_column("screening_decision", "for_at", nullable=False)
    op.add_column("campaign", _time("paused_at", nullable=True))
    _add("campaign", sa.Column("hours", postgresql.JSONB(), nullable=False), "'[]'")
    _add("disposition_kind", sa.Column("refused", sa.Boolean(), nullable=False), "false")
    op.execute("UPDATE disposition_kind SET refused = true WHERE code = 'not_interested'")
    op.create_index(
        "ix_audit_entry_clock", "audit_entry", ["act"], postgresql_where=sa.text("act = 'clock.confirmed'")
    )


def _add(table: str, column: sa.Column, default: str) -> None:
    column.server_default = sa.DefaultClause(sa.text(default))
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def downgrade() -> None:
    raise NotImplementedError("take the database back from a backup: the ledgers are only ever added to")
