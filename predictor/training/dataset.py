"""Samples: the features of a closed bar beside what the next bars brought."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from feature_stream.offline import FeatureRow
from ingestor.sources.bars import BarColumns
from predictor.batch import model_batch, why_unreadable
from predictor.models.base import Batch, FloatArray, scales
from predictor.training.row_events import rows_of
from schemas.times import Interval, interval_ns

#: Scaled targets beyond this say more about one day than about the next.
TARGET_CLIP = 5.0

Rows = NDArray[np.bool_] | NDArray[np.intp] | slice


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples of all tickers, ordered by time and then ticker.

    Attributes:
        tickers: (n,) for the record only; no model sees them.
        as_of_ns: (n,) end of the sample's bar: all that its features know ends there.
        label_end_ns: (n,) end of the last bar that its longest label needs.
        log_returns: (n, horizons) float64, close to close.
    """

    horizons: tuple[int, ...]
    batch: Batch
    tickers: NDArray[np.str_]
    as_of_ns: NDArray[np.int64]
    label_end_ns: NDArray[np.int64]
    log_returns: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.as_of_ns)

    def units(self) -> FloatArray:
        """Give volatility times sqrt(horizon), (n, horizons)."""
        return scales(self.batch.volatility, self.horizons)

    def targets(self) -> NDArray[np.float32]:
        """Give what the models learn, (n, horizons): log returns over their unit, clipped."""
        return np.clip(self.log_returns / self.units(), -TARGET_CLIP, TARGET_CLIP).astype(np.float32)

    def rows(self, chosen: Rows) -> "Dataset":
        """Give the chosen samples."""
        parts = (getattr(self.batch, field.name)[chosen] for field in fields(Batch))
        return Dataset(
            self.horizons,
            Batch(*parts),
            self.tickers[chosen],
            self.as_of_ns[chosen],
            self.label_end_ns[chosen],
            self.log_returns[chosen],
        )


@dataclass(frozen=True, slots=True)
class _Sample:
    ticker: str
    row: FeatureRow
    label_end_ns: int
    log_returns: list[float]


def dataset_from_bars(
    bars: Mapping[str, BarColumns], interval: Interval, horizons: Sequence[int], window_bars: int | None = None
) -> Dataset:
    """Make samples of bars, by ticker; a bar gives one when its features and its longest label are there.

    Args:
        window_bars: Keep the samples of the last so many dates only; None keeps all.
    """
    samples = [
        sample
        for ticker, columns in bars.items()
        # None of a ticker's samples before its last `window_bars` lies in the last `window_bars` dates of all, and
        # a sample is several kilobytes of Python numbers: a long history would not fit into memory.
        for sample in deque(_samples_of(ticker, columns, interval, horizons), maxlen=window_bars)
    ]
    samples.sort(key=lambda sample: (sample.row.end_ns, sample.ticker))
    return last_bars(_stack(samples, tuple(horizons)), window_bars)


def last_bars(dataset: Dataset, window_bars: int | None) -> Dataset:
    """Keep the samples of the last `window_bars` dates; None keeps all."""
    if window_bars is None:
        return dataset
    dates = np.unique(dataset.as_of_ns)[-window_bars:]
    return dataset.rows(np.isin(dataset.as_of_ns, dates))


def _samples_of(ticker: str, columns: BarColumns, interval: Interval, horizons: Sequence[int]) -> Iterator[_Sample]:
    longest, closes = max(horizons), np.log(columns.close)
    ends_ns = columns.start_ns + interval_ns(interval)
    for at, row in enumerate(islice(rows_of(interval, columns), max(0, len(columns) - longest))):
        if why_unreadable(row) is None:
            log_returns = [float(closes[at + horizon] - closes[at]) for horizon in horizons]
            yield _Sample(ticker, row, int(ends_ns[at + longest]), log_returns)


def _stack(samples: Sequence[_Sample], horizons: tuple[int, ...]) -> Dataset:
    rows = [sample.row for sample in samples]
    return Dataset(
        horizons,
        model_batch(rows),
        np.array([sample.ticker for sample in samples], np.str_),
        np.array([row.end_ns for row in rows], np.int64),
        np.array([sample.label_end_ns for sample in samples], np.int64),
        np.array([sample.log_returns for sample in samples], np.float64).reshape(len(samples), len(horizons)),
    )
