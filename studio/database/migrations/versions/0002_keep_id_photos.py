"""Keep ID photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    op.create_table(
        "id_photos",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("drawn_path", sa.String(), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("height_mm", sa.Double(), nullable=False),
        sa.Column("dpi", sa.Integer(), nullable=True),
        sa.Column("file_bytes", sa.Integer(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("id_photos", schema=None) as batch_op:
        batch_op.create_index("id_photos_newest", ["owner_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_id_photos_subject_id"), ["subject_id"], unique=False)


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("id_photos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_id_photos_subject_id"))
        batch_op.drop_index("id_photos_newest")

    op.drop_table("id_photos")
