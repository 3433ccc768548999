"""Rolling accuracy, and what is adapted from it."""

from msgspec import Struct

from schemas.times import Interval


class ModelScore(Struct, frozen=True, kw_only=True):
    """Errors of one model on one horizon, in log return, over settled outcomes."""

    count: int
    mean_absolute_error: float
    root_mean_squared_error: float
    hit_rate: float | None = None
    hit_rate_low: float | None = None
    hit_rate_high: float | None = None
    brier_score: float | None = None


class HorizonScore(Struct, frozen=True, kw_only=True):
    """Scores, weights and interval quantiles of one horizon; naive is the forecast of no change."""

    horizon: int
    settled_dates: int
    ensemble: ModelScore
    naive: ModelScore
    models: dict[str, ModelScore]
    weights: dict[str, float]
    slope: float
    coverage_95: float | None = None
    coverage_99: float | None = None
    quantile_95: float | None = None
    quantile_99: float | None = None


class Scoreboard(Struct, frozen=True, kw_only=True):
    """The state of accuracy of a ticker, or of all (`*`), through an event time.

    Attributes:
        bar_index: Closed bars of the ticker through that time; of all tickers together for `*`.
    """

    id: str
    ticker: str
    interval: Interval
    model_set: str
    through_ns: int
    bar_index: int
    horizons: list[HorizonScore]
    weights_version: str
    intervals_version: str
    source_partition: int
    source_offset: int
    updated_at_ns: int
    drift: dict[str, str] = {}
