"""Feedback; and outcomes found by when they matured."""

import sqlalchemy as sa
from alembic import op

revision = "0003_feedback"
down_revision = "0002_api_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ticker", sa.String(length=32), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("prediction_id", sa.Text(), nullable=True),
        sa.Column("as_of_ns", sa.BigInteger(), nullable=True),
        sa.Column("horizon", sa.Integer(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("key_id", sa.String(length=32), nullable=True),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_created_ns", "feedback", ["created_ns"])
    op.create_index("ix_outcomes_interval_matured_ns", "outcomes", ["interval", "matured_ns"])
    op.create_index("ix_outcomes_ticker_interval_matured_ns", "outcomes", ["ticker", "interval", "matured_ns"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_outcomes_ticker_interval_matured_ns", "outcomes")
    op.drop_index("ix_outcomes_interval_matured_ns", "outcomes")
    op.drop_index("ix_feedback_created_ns", "feedback")
    op.drop_table("feedback")
