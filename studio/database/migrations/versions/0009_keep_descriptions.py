"""Keep what was read from the reference of a picture."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.add_column(sa.Column("described", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.drop_column("described")
