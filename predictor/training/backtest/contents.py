"""What a report says, as it stands in `report.json`."""

from msgspec import Struct

from predictor.training.backtest.confidence import Confidence
from predictor.training.backtest.coverage import IntervalScore
from predictor.training.backtest.errors import ForecasterScore
from predictor.training.backtest.figures import Figure
from predictor.training.backtest.stretches import Stretch, TickerYear
from schemas.events import HorizonScore, Scoreboard
from schemas.times import Interval


class ReportOptions(Struct, frozen=True, kw_only=True):
    """What was asked for; null where it does not apply, as to predictions that were made live.

    Attributes:
        source: Its kind; of the predictions that were made live, the one that the settings name.
        live: The predictions were made live, and read from `outcomes`.
        first: Start of the first bar from which is predicted; null: of whatever is there.
        last: Nothing from it on was used; null: all.
        models: Empty: all.
    """

    source: str
    live: bool
    interval: Interval
    seed: int
    cost_bps: float
    long_only: bool
    signal_share: float | None
    first: str | None = None
    last: str | None = None
    refit_bars: int | None = None
    window_bars: int | None = None
    models: list[str] = []


class ReportSet(Struct, frozen=True, kw_only=True):
    """A model set that predicted.

    Attributes:
        first_as_of: Of its first prediction here.
        train_end: Nothing later has reached it; null where its manifest is not at hand.
    """

    model_set: str
    first_as_of: str
    outcomes: int
    train_end: str | None = None
    samples: int | None = None
    members: list[str] = []


class Equity(Struct, frozen=True, kw_only=True):
    """How capitals of 1 go, after the bars that end at these times."""

    ends: list[str]
    by_portfolio: dict[str, list[float]]


class Trading(Struct, frozen=True, kw_only=True):
    """What following a horizon's forecasts would have brought.

    Attributes:
        figures: By portfolio and name.
        beside_buy_and_hold: Those of the forecasts less those of buying and holding, resampled on the same dates.
    """

    bars: int
    bars_per_year: float
    figures: dict[str, dict[str, Figure]]
    beside_buy_and_hold: dict[str, Figure]
    equity: Equity


class HorizonReport(Struct, frozen=True, kw_only=True):
    """All of one horizon.

    Attributes:
        scores: Of the whole span, by the very code of the scoreboards.
        forecasters: The ensemble first, then its members.
        intervals: At 95 % and at 99 %.
        holds: Of what must hold of the intervals.
    """

    horizon: int
    outcomes: int
    dates: int
    scores: HorizonScore
    forecasters: list[ForecasterScore]
    confidence: Confidence
    intervals: list[IntervalScore]
    stretches: list[Stretch]
    ticker_years: list[TickerYear]
    trading: Trading


class Report(Struct, frozen=True, kw_only=True):
    """The whole report.

    Attributes:
        boards: The newest scoreboard of each ticker and of all (`*`), as on `scores` but for `updated_at_ns`.
        unscored: Outcomes that do not count, by reason.
    """

    verdict: str
    caveats: list[str]
    options: ReportOptions
    tickers: list[str]
    first_as_of: str
    last_matured: str
    sets: list[ReportSet]
    horizons: list[HorizonReport]
    boards: dict[str, Scoreboard]
    unscored: dict[str, int]
