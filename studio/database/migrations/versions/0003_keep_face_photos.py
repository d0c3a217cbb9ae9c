"""Keep face photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    op.create_table(
        "face_photos",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("traits", sa.JSON(), nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consent_version", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("face_photos", schema=None) as batch_op:
        batch_op.create_index("face_photos_newest", ["owner_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_face_photos_subject_id"), ["subject_id"], unique=False)


def downgrade() -> None:
    """Take the tables back."""
    with op.batch_alter_table("face_photos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_face_photos_subject_id"))
        batch_op.drop_index("face_photos_newest")

    op.drop_table("face_photos")
