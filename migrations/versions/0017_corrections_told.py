"""Corrected dispositions are told to webhooks; lists that people bring in are looked at by a job.

Revision ID: 0017
Revises: 0016
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TELL = """
CREATE FUNCTION webhook_of_correction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  attempt record;
BEGIN
  SELECT call_task_id, customer_id INTO attempt FROM contact_attempt WHERE id = NEW.attempt_id;
  PERFORM webhook_tell('disposition.corrected', NEW.id::text, NEW.checked_at, jsonb_build_object(
    'attempt_id', NEW.attempt_id, 'call_task_id', attempt.call_task_id, 'customer_id', attempt.customer_id,
    'was', NEW.said_code, 'disposition', NEW.found_code));
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_corrected AFTER INSERT ON disposition_check FOR EACH ROW
  WHEN (NEW.found_code <> NEW.said_code) EXECUTE FUNCTION webhook_of_correction();
"""


def upgrade() -> None:
    op.execute(_TELL)
    op.add_column("list_import", sa.Column("body", sa.LargeBinary(), nullable=True))
    op.add_column("list_import", sa.Column("failed", sa.String(), nullable=True))
    op.add_column("list_import", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE list_import SET looked_at = created_at WHERE is_draft")


def downgrade() -> None:
    for name in ("looked_at", "failed", "body"):
        op.drop_column("list_import", name)
    op.execute("DROP TRIGGER webhook_corrected ON disposition_check; DROP FUNCTION webhook_of_correction()")
