"""Keep the reports of adapters, and the weight that was found best."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    with op.batch_alter_table("adapters", schema=None) as batch_op:
        batch_op.add_column(sa.Column("weight", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("report", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("adapters", schema=None) as batch_op:
        batch_op.drop_column("report")
        batch_op.drop_column("weight")
