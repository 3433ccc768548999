"""Rolling accuracy, and what is adapted from it."""

from msgspec import Struct

from schemas.times import Interval


class ModelScore(Struct, frozen=True, kw_only=True):
    """Errors of one model on one horizon, in log return, over settled outcomes.

    A neutral prediction and a price that did not move are no trial of the direction: they are left out of `hit_rate`,
    `precision`, `recall`, `f1` and `brier_score`. The first is over both directions; the next three are of "bullish".
    A member's direction is the sign of its own forecast. Its confidence is in the ensemble's direction, so
    `mean_confidence` and `brier_score` are about that one's trials and hits, for every member.

    Attributes:
        count: Outcomes.
        hit_rate: Mean over the dates of the share of hits among a date's trials: outcomes of one date count as one.
        hit_rate_low: With `hit_rate_high`, its interval at 95 %; null with too few dates to tell (200, 23 horizons).
        mean_absolute_percentage_error: Of the price at the horizon's end, in percent of it.
        scaled_mean_squared_error: In units of volatility times sqrt(horizon); what the weights are made of.
    """

    count: int
    mean_absolute_error: float
    root_mean_squared_error: float
    hit_rate: float | None = None
    hit_rate_low: float | None = None
    hit_rate_high: float | None = None
    brier_score: float | None = None
    mean_absolute_percentage_error: float | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    mean_confidence: float | None = None
    trials: int = 0
    scaled_mean_squared_error: float | None = None


class HorizonScore(Struct, frozen=True, kw_only=True):
    """Scores, weights and interval quantiles of one horizon; naive is the forecast of no change.

    Attributes:
        settled_dates: Different ends of the horizon among the outcomes: outcomes of one date share their shocks.
        weights: By member, adding up to 1; of the board of all tickers only.
        slope: Of what happened on what was forecast, through the origin; information, nothing is adapted from it.
        quantile_95: Half-width in units of volatility times sqrt(horizon) that would have held 95 % of these outcomes,
            (n + 1)-corrected; information, of a ticker's own board only; null with too few outcomes (19, 99).
        width_95: The half-width that the predictor applies, as a multiple of the model set's own first quantile; of a
            ticker's own board only, and from more outcomes than the scores are (1,000).
        interval_score_95: Mean of Gneiting and Raftery (2007), equation 43, in log return; smaller is better.
        usual_hit_rate: Of the direction that was more frequent before the models' `train_end`, on the same trials.
        hit_rate_difference: The hit rate less `usual_hit_rate`, paired by date, with its interval at 95 %.
        error_ratio: Mean squared error over that of no change.
        error_p_value: Two-sided Diebold-Mariano (Harvey, Leybourne and Newbold) against no change, paired by date; null
            with too few dates to tell (200, 23 horizons).
        shadow: Of the sets that were shown beside those that answered, by name: their ensembles' scores.
    """

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
    width_95: float | None = None
    width_99: float | None = None
    interval_score_95: float | None = None
    interval_score_99: float | None = None
    usual_hit_rate: float | None = None
    hit_rate_difference: float | None = None
    hit_rate_difference_low: float | None = None
    hit_rate_difference_high: float | None = None
    error_ratio: float | None = None
    error_p_value: float | None = None
    shadow: dict[str, ModelScore] = {}


class Scoreboard(Struct, frozen=True, kw_only=True):
    """The state of accuracy of a ticker, or of all (`*`), through an event time.

    Attributes:
        through_ns: Nothing in it was known later than this, so a prediction as of this time or later may use it.
        id: Also of its content: as the outcomes of one time come in, a board is followed by a fuller one.
        bar_index: Closed bars of the ticker through that time; of all tickers together for `*`.
        weights_version: Differs from the one before where a weight does; "prior" where the board has none.
        intervals_version: Likewise of the widths; "holdout" where the board has none.
        source_partition: -1 for `*`.
        source_offset: For `*`, of all partitions together.
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
