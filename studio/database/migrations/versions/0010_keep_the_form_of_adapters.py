"""Keep what kind of file an adapter is, and what went otherwise than planned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    with op.batch_alter_table("adapters", schema=None) as batch_op:
        batch_op.add_column(sa.Column("form", sa.String(), nullable=False, server_default="lora"))
        batch_op.add_column(sa.Column("notes", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("adapters", schema=None) as batch_op:
        batch_op.alter_column("form", server_default=None)
        batch_op.alter_column("notes", server_default=None)


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("adapters", schema=None) as batch_op:
        batch_op.drop_column("notes")
        batch_op.drop_column("form")
