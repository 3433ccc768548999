"""A candidate's forecasts of a time that its fit knows nothing of, beside what the champion said live.

    bars        |—————————————————— fit ——————————————————|—longest—|———————— compared ————————|
                                                        cut      first date                  now

The fit gets the bars through the cut and no other, so no feature, label, scaler or calibration can know more. At every
horizon, outcomes from the first date on begin after the cut.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from ingestor.sources.bars import BarColumns
from predictor.artifacts import ModelSet
from predictor.manifest import Manifest
from predictor.predict import predict
from predictor.training.evidence import LiveWindow
from predictor.training.pairs import Pairs, said_by
from predictor.training.row_events import readable_events
from schemas.events import Features, Outcome, Prediction
from schemas.times import Interval, interval_ns

_AT_ONCE = 500

#: Log returns by ticker, as-of time and horizon.
Forecasts = dict[tuple[str, int, int], float]


def newest_end_ns(bars: Mapping[str, BarColumns], interval: Interval) -> int | None:
    """Give the end of the newest bar of any ticker; None where there is none."""
    starts_ns = [int(columns.start_ns[-1]) for columns in bars.values() if len(columns)]
    return max(starts_ns) + interval_ns(interval) if starts_ns else None


def cut_ns(bars: Mapping[str, BarColumns], interval: Interval, first_ns: int, longest: int) -> int | None:
    """Give the end of the last bar that a fit may know; None where the bars begin too late.

    It lies one bar and the longest horizon before the first date: with 126 bars on each of which something matured,
    126 bars and the longest horizon before now. Bars are those of the whole market.

    Args:
        first_ns: The first date on which outcomes are compared.
        longest: The longest horizon.
    """
    starts_ns = [columns.start_ns for columns in bars.values() if len(columns)]
    ends_ns = np.unique(np.concatenate(starts_ns)) + interval_ns(interval) if starts_ns else np.array([], np.int64)
    at = int(np.searchsorted(ends_ns, first_ns)) - 1 - longest
    return int(ends_ns[at]) if at >= 0 else None


def bars_through(bars: Mapping[str, BarColumns], interval: Interval, end_ns: int) -> dict[str, BarColumns]:
    """Give the bars that end by a time."""
    return {ticker: each.between(None, end_ns - interval_ns(interval) + 1) for ticker, each in bars.items()}


def forecasts_after(model_set: ModelSet, bars: Mapping[str, BarColumns], after_ns: int, through_ns: int) -> Forecasts:
    """Let a set predict as of every bar's end in `(after_ns, through_ns]`, by the code that serves.

    Weights are the prior ones and slopes the set's own. What not all of its weighed members answer is left out.
    """
    interval, horizons = model_set.manifest.interval, tuple(model_set.manifest.horizons)
    events = (
        event
        for ticker, columns in sorted(bars.items())
        for event in readable_events(ticker, columns, interval, after_ns, through_ns)
    )
    return {
        (prediction.ticker, prediction.as_of_ns, said.horizon): said.log_return
        for prediction in _predictions(events, model_set, horizons)
        if prediction.degraded is None and not prediction.in_sample
        for said in prediction.horizons
    }


def _predictions(events: Iterator[Features], model_set: ModelSet, horizons: tuple[int, ...]) -> Iterator[Prediction]:
    while batch := list(islice(events, _AT_ONCE)):
        yield from predict(batch, model_set, horizons, now_ns=0).predictions


def pairs_with(forecasts: Forecasts, window: LiveWindow, champion: Manifest) -> Pairs:
    """Put a candidate's forecasts beside what the champion said live of the same outcomes."""
    return Pairs.of(champion.horizons, list(_said(forecasts, window.outcomes, champion.model_set)))


def _said(forecasts: Forecasts, outcomes: Sequence[Outcome], champion: str) -> Iterator[tuple[Outcome, float, float]]:
    for outcome in outcomes:
        live = said_by(outcome, champion)
        forecast = forecasts.get((outcome.ticker, outcome.as_of_ns, outcome.horizon))
        if live is not None and forecast is not None:
            yield outcome, live, forecast
