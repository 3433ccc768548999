"""What the widths are tuned on: intervals before 2010 as live makes them, from forecasts that had not seen the date.

The first quantiles and the slope of a stretch are made as a training makes them, of what was forecast out of fold
before the stretch and had matured by its beginning; the multiples follow the ticker's own matured outcomes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift_series import HORIZONS, Bars, Doubles, Fit
from feature_stream.calibration import WIDTH_OUTCOMES, width_after
from predictor.models.base import FloatArray
from predictor.training.backtest.tables import Table
from predictor.training.calibrate import conformal_quantile, forecast_slopes
from predictor.training.dataset import Dataset, dataset_from_bars

SHARES_OUTSIDE = (0.05, 0.01)


@dataclass(frozen=True)
class Stretch:
    """From a date on, until the next one's: the fit that answers, its slopes, and the first quantiles.

    Attributes:
        fit: What lies from its `from_ns` on is new to it.
        slopes: (horizons,).
        quantiles: (horizons, 2), at 95 % and 99 %, in units of volatility times sqrt(horizon).
    """

    fit: Fit
    slopes: Sequence[float]
    quantiles: Doubles


def stretches(samples: Dataset, fits: Sequence[Fit]) -> list[Stretch]:
    """Give a stretch for every fit but the first, which has no forecasts before it."""
    ends = [fit.from_ns for fit in fits[1:]]
    spans = [samples.rows(_between(samples, fit.from_ns, end)) for fit, end in zip(fits, ends, strict=False)]
    forecasts = [fit.targets(span) for fit, span in zip(fits, spans, strict=False)]
    return [_stretch(fit, spans[: place + 1], forecasts[: place + 1]) for place, fit in enumerate(fits[1:])]


def _stretch(fit: Fit, spans: Sequence[Dataset], forecasts: Sequence[FloatArray]) -> Stretch:
    known = [span.label_end_ns < fit.from_ns for span in spans]
    said = np.concatenate([each[rows] for each, rows in zip(forecasts, known, strict=True)])
    came = np.concatenate([(span.log_returns / span.units())[rows] for span, rows in zip(spans, known, strict=True)])
    targets = np.concatenate([span.targets()[rows] for span, rows in zip(spans, known, strict=True)])
    slopes = forecast_slopes(said, targets.astype(np.float64))
    errors = np.abs(np.array(slopes) * said - came)
    quantiles = [[conformal_quantile(column, 1.0 - share) for share in SHARES_OUTSIDE] for column in errors.T]
    return Stretch(fit, slopes, np.array(quantiles))


def tables_of(bars: Bars, parts: Sequence[Stretch]) -> list[Table]:
    """Say of every bar from the first stretch on what was forecast and what came, with intervals that never adapt."""
    samples = dataset_from_bars(bars, "1d", HORIZONS)
    ends = [part.fit.from_ns for part in parts[1:]] + [np.iinfo(np.int64).max]
    spans = [samples.rows(_between(samples, part.fit.from_ns, end)) for part, end in zip(parts, ends, strict=True)]
    judged = samples.rows(samples.as_of_ns >= parts[0].fit.from_ns)
    scaled = np.concatenate([part.slopes * part.fit.targets(span) for part, span in zip(parts, spans, strict=True)])
    first = np.concatenate(
        [np.tile(part.quantiles, (len(span), 1, 1)) for part, span in zip(parts, spans, strict=True)]
    )
    units = judged.units()
    return [
        _table(judged, place, scaled[:, place] * units[:, place], units[:, place, None] * first[:, place])
        for place in range(len(HORIZONS))
    ]


def _between(samples: Dataset, from_ns: int, to_ns: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (samples.as_of_ns >= from_ns) & (samples.as_of_ns < to_ns)


def _table(judged: Dataset, place: int, predicted: Doubles, static: Doubles) -> Table:
    wider = np.maximum(static[:, 0], static[:, 1])
    return table_of(
        HORIZONS[place],
        judged.tickers,
        judged.as_of_ns,
        predicted=predicted,
        actual=judged.log_returns[:, place],
        static=(static[:, 0], wider),
    )


def table_of(
    horizon: int,
    tickers: NDArray[np.str_],
    as_of_ns: NDArray[np.int64],
    *,
    predicted: Doubles,
    actual: Doubles,
    static: tuple[Doubles, Doubles],
) -> Table:
    """Give forecasts and what came of them, without any interval but the static ones.

    Args:
        horizon: In bars.
        tickers: (n,).
        as_of_ns: (n,), by which dates are told apart.
        predicted: (n,) log returns.
        actual: (n,) likewise.
        static: (n,) each, half widths at 95 % and at 99 % that never adapt, in log return.
    """
    nothing = np.full(len(predicted), np.nan)
    return Table(
        horizon=horizon,
        tickers=tickers,
        as_of_ns=as_of_ns,
        matured_ns=as_of_ns,
        fallback=np.zeros(len(predicted), np.bool_),
        predicted=predicted,
        actual=actual,
        direction=nothing,
        usual=nothing,
        confidence=nothing,
        hit=nothing,
        half_95=nothing,
        half_99=nothing,
        inside_95=nothing,
        inside_99=nothing,
        static_95=static[0],
        static_99=static[1],
        members={},
    )


def adapted(table: Table, steps: int, factors: Doubles | float = 1.0) -> Table:
    """Give the table with the intervals that live would have had.

    Args:
        table: With intervals that never adapt.
        steps: As of `feature_stream.calibration.width_steps`.
        factors: By what the first quantiles were wrong, for all rows or (n,).
    """
    error = np.abs(table.actual - table.predicted)
    first = np.column_stack([table.static_95, table.static_99]) * np.reshape(factors, (-1, 1))
    half = np.empty_like(first)
    for ticker in np.unique(table.tickers):
        rows = table.tickers == ticker
        half[rows] = list(_half_widths(error[rows], first[rows], table.horizon, steps))
    inside = (error[:, None] <= half).astype(np.float64)
    return replace(table, half_95=half[:, 0], half_99=half[:, 1], inside_95=inside[:, 0], inside_99=inside[:, 1])


def _half_widths(error: Doubles, first: Doubles, horizon: int, steps: int) -> Iterator[Doubles]:
    """Give the half-widths of a ticker, bar by bar: one at 99 % is at least as wide as that at 95 %."""
    misses = np.zeros(first.shape, np.bool_)
    for bar in range(len(first)):
        matured = max(0, bar + 1 - horizon)  # the outcome of the bar before that ended `horizon` bars ago, and so on
        known = misses[max(0, matured - WIDTH_OUTCOMES) : matured]
        multiples = [width_after(known[:, at], share, steps) for at, share in enumerate(SHARES_OUTSIDE)]
        half = np.maximum.accumulate(first[bar] * multiples)
        misses[bar] = error[bar] > half
        yield half
