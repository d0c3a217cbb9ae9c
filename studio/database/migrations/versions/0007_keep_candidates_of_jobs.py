"""Keep the candidates of jobs that promise a likeness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("candidates", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("candidates")
