"""Lists of other systems that a job reads: which columns were ignored, and which were a dry run.

Revision ID: 0020
Revises: 0019
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "list_import",
        sa.Column("ignored_columns", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.add_column(
        "list_import", sa.Column("is_dry_run", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.alter_column("list_import", "ignored_columns", server_default=None)
    op.alter_column("list_import", "is_dry_run", server_default=None)


def downgrade() -> None:
    op.drop_column("list_import", "is_dry_run")
    op.drop_column("list_import", "ignored_columns")
