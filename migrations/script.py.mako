"""${message}

Revision: ${up_revision}, after ${down_revision | comma,n}
"""

# Runs with lock_timeout 5s and statement_timeout 10min (migrations/env.py). On a large table: add columns
# without a volatile default, constraints NOT VALID and validate later, indexes in a migration of their own
# with postgresql_concurrently inside `op.get_context().autocommit_block()`.

import sqlalchemy as sa
import sqlmodel
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | None = ${repr(branch_labels)}
depends_on: str | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
