"""History of what the stream said."""

import sqlalchemy as sa
from alembic import op

revision = "0001_history"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bars",
        sa.Column("ticker", sa.String(length=32), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("close", sa.Float(), nullable=False),
        sa.Column("volume", sa.Float(), nullable=False),
        sa.Column("tick_count", sa.BigInteger(), nullable=False),
        sa.Column("bar_index", sa.BigInteger(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("recorded_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticker", "interval", "start_ns", name=op.f("pk_bars")),
    )
    op.create_table(
        "features",
        sa.Column("ticker", sa.String(length=32), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("as_of_ns", sa.BigInteger(), nullable=False),
        sa.Column("bar_index", sa.BigInteger(), nullable=False),
        sa.Column("close", sa.Float(), nullable=False),
        sa.Column("indicators", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("recorded_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticker", "interval", "as_of_ns", name=op.f("pk_features")),
    )
    with op.batch_alter_table("features", schema=None) as batch_op:
        batch_op.create_index("ix_features_recorded_ns", ["recorded_ns"], unique=False)

    op.create_table(
        "offsets",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_offsets")),
    )
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.Column("ticker", sa.String(length=32), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("as_of_ns", sa.BigInteger(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("matured_ns", sa.BigInteger(), nullable=False),
        sa.Column("prediction_id", sa.Text(), nullable=False),
        sa.Column("model_set", sa.Text(), nullable=False),
        sa.Column("start_price", sa.Float(), nullable=True),
        sa.Column("predicted_log_return", sa.Float(), nullable=False),
        sa.Column("actual_log_return", sa.Float(), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("usual_direction", sa.String(length=16), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("hit", sa.Boolean(), nullable=True),
        sa.Column("inside_95", sa.Boolean(), nullable=True),
        sa.Column("inside_99", sa.Boolean(), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("scored", sa.Boolean(), nullable=False),
        sa.Column("unscored_reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("recorded_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outcome_id", name=op.f("pk_outcomes")),
    )
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outcomes_ticker_interval_as_of_ns_horizon"),
            ["ticker", "interval", "as_of_ns", "horizon"],
            unique=False,
        )

    op.create_table(
        "predictions",
        sa.Column("ticker", sa.String(length=32), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("as_of_ns", sa.BigInteger(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("prediction_id", sa.Text(), nullable=False),
        sa.Column("bar_index", sa.BigInteger(), nullable=False),
        sa.Column("target_time_ns", sa.BigInteger(), nullable=False),
        sa.Column("current_price", sa.Float(), nullable=False),
        sa.Column("price_target", sa.Float(), nullable=False),
        sa.Column("log_return", sa.Float(), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("signal", sa.String(length=8), nullable=True),
        sa.Column("low_95", sa.Float(), nullable=True),
        sa.Column("high_95", sa.Float(), nullable=True),
        sa.Column("low_99", sa.Float(), nullable=True),
        sa.Column("high_99", sa.Float(), nullable=True),
        sa.Column("model_set", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("in_sample", sa.Boolean(), nullable=False),
        sa.Column("degraded", sa.Text(), nullable=True),
        sa.Column("recorded_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticker", "interval", "as_of_ns", "horizon", name=op.f("pk_predictions")),
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index("ix_predictions_recorded_ns", ["recorded_ns"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index("ix_predictions_recorded_ns")

    op.drop_table("predictions")
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcomes_ticker_interval_as_of_ns_horizon"))

    op.drop_table("outcomes")
    op.drop_table("offsets")
    with op.batch_alter_table("features", schema=None) as batch_op:
        batch_op.drop_index("ix_features_recorded_ns")

    op.drop_table("features")
    op.drop_table("bars")
