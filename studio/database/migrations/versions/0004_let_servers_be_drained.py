"""Let servers be drained."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    with op.batch_alter_table("servers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("drained", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("servers", schema=None) as batch_op:
        batch_op.alter_column("drained", server_default=None)


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("servers", schema=None) as batch_op:
        batch_op.drop_column("drained")
