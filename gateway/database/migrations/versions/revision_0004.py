"""Usage of keys, by month."""

import sqlalchemy as sa
from alembic import op

revision = "0004_usage"
down_revision = "0003_feedback"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "usage",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "month", name=op.f("pk_usage")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("usage")
