"""Tables of what the stream said: final predictions, outcomes, closed bars, final indicators; and how far they go.

Times are nanoseconds since 1970. `recorded_ns` is wall time, by which retention counts; all others are event time.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from gateway.database.metadata import metadata

#: One row a horizon; of several predictions as of the same bar the first counts, as everywhere.
PREDICTIONS = Table(
    "predictions",
    metadata,
    Column("ticker", String(32), primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("as_of_ns", BigInteger, primary_key=True),
    Column("horizon", Integer, primary_key=True),
    Column("prediction_id", Text, nullable=False),
    Column("bar_index", BigInteger, nullable=False),
    Column("target_time_ns", BigInteger, nullable=False),
    Column("current_price", Float, nullable=False),
    Column("price_target", Float, nullable=False),
    Column("log_return", Float, nullable=False),
    Column("direction", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("signal", String(8)),
    Column("low_95", Float),
    Column("high_95", Float),
    Column("low_99", Float),
    Column("high_99", Float),
    Column("model_set", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("in_sample", Boolean, nullable=False),
    Column("degraded", Text),
    Column("recorded_ns", BigInteger, nullable=False),
)

OUTCOMES = Table(
    "outcomes",
    metadata,
    Column("outcome_id", Text, primary_key=True),
    Column("ticker", String(32), nullable=False),
    Column("interval", String(8), nullable=False),
    Column("as_of_ns", BigInteger, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("matured_ns", BigInteger, nullable=False),
    Column("prediction_id", Text, nullable=False),
    Column("model_set", Text, nullable=False),
    Column("start_price", Float),
    Column("predicted_log_return", Float, nullable=False),
    Column("actual_log_return", Float, nullable=False),
    Column("direction", String(16), nullable=False),
    Column("usual_direction", String(16)),
    Column("confidence", Float, nullable=False),
    Column("hit", Boolean),
    Column("inside_95", Boolean),
    Column("inside_99", Boolean),
    Column("origin", String(16), nullable=False),
    Column("scored", Boolean, nullable=False),
    Column("unscored_reason", Text),
    Column("request_id", Text),
    Column("recorded_ns", BigInteger, nullable=False),
    Index(None, "ticker", "interval", "as_of_ns", "horizon"),
    Index("ix_outcomes_ticker_interval_matured_ns", "ticker", "interval", "matured_ns"),
    Index("ix_outcomes_interval_matured_ns", "interval", "matured_ns"),
)

BARS = Table(
    "bars",
    metadata,
    Column("ticker", String(32), primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("start_ns", BigInteger, primary_key=True),
    Column("end_ns", BigInteger, nullable=False),
    Column("open", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("close", Float, nullable=False),
    Column("volume", Float, nullable=False),
    Column("tick_count", BigInteger, nullable=False),
    Column("bar_index", BigInteger, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("recorded_ns", BigInteger, nullable=False),
)

FEATURES = Table(
    "features",
    metadata,
    Column("ticker", String(32), primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("as_of_ns", BigInteger, primary_key=True),
    Column("bar_index", BigInteger, nullable=False),
    Column("close", Float, nullable=False),
    Column("indicators", JSON, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("recorded_ns", BigInteger, nullable=False),
)

#: Where to go on reading: in the same transaction as the rows that come from before.
OFFSETS = Table(
    "offsets",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
)

#: By which retention finds what is old.
Index("ix_predictions_recorded_ns", PREDICTIONS.c.recorded_ns)
Index("ix_features_recorded_ns", FEATURES.c.recorded_ns)
