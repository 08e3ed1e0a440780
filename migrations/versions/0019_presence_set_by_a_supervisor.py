"""Who set an agent's presence, and their note to the agent.

Revision ID: 0019
Revises: 0018
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("agent", sa.Column("presence_by", sa.Uuid(), nullable=True))
    op.add_column("agent", sa.Column("presence_note", sa.String(), server_default="", nullable=False))
    op.create_foreign_key(op.f("fk_agent_presence_by_app_user"), "agent", "app_user", ["presence_by"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_agent_presence_by_app_user"), "agent", type_="foreignkey")
    op.drop_column("agent", "presence_note")
    op.drop_column("agent", "presence_by")
