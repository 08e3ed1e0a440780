"""Indexes for what every console asks of its agent: attempts of the day, offers just taken away.

Revision ID: 0016
Revises: 0015
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_contact_attempt_agent_at", "contact_attempt", ["agent_id", "claimed_at"])
    op.drop_index("ix_contact_attempt_agent_id", table_name="contact_attempt")
    op.create_index(
        "ix_reservation_gone",
        "reservation",
        ["agent_id", "ended_at"],
        postgresql_where=sa.text("\"end\" IN ('withdrawn', 'barred')"),
    )


def downgrade() -> None:
    op.drop_index("ix_reservation_gone", table_name="reservation")
    op.create_index("ix_contact_attempt_agent_id", "contact_attempt", ["agent_id"])
    op.drop_index("ix_contact_attempt_agent_at", table_name="contact_attempt")
