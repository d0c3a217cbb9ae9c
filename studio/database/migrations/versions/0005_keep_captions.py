"""Keep the captions that people give to their photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    with op.batch_alter_table("photos", schema=None) as batch_op:
        batch_op.add_column(sa.Column("caption", sa.String(), nullable=True))


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("photos", schema=None) as batch_op:
        batch_op.drop_column("caption")
