"""Samples: the features of a closed bar beside what the next bars brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from feature_stream.offline import FeatureRow, feature_rows
from ingestor.sources.bars import BarColumns
from predictor.models.base import Batch
from predictor.models.served import scales
from schemas.features import MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_CHANNELS, SEQUENCE_STEPS
from schemas.times import Interval

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

    def units(self) -> NDArray[np.float64]:
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


def dataset_from_bars(bars: Mapping[str, BarColumns], interval: Interval, horizons: Sequence[int]) -> Dataset:
    """Make samples of bars, by ticker; a bar gives one when its features and its longest label are there."""
    histories = {ticker: _feature_rows(columns, interval) for ticker, columns in bars.items()}
    samples = [sample for ticker, rows in histories.items() for sample in _samples_of(ticker, rows, horizons)]
    samples.sort(key=lambda sample: (sample.row.end_ns, sample.ticker))
    return _stack(samples, tuple(horizons))


def _feature_rows(columns: BarColumns, interval: Interval) -> list[FeatureRow]:
    prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
    return list(feature_rows(interval, columns.start_ns.tolist(), *(column.tolist() for column in prices)))


def _samples_of(ticker: str, rows: Sequence[FeatureRow], horizons: Sequence[int]) -> list[_Sample]:
    longest = max(horizons)
    closes = np.log([row.close for row in rows])
    return [
        _Sample(ticker, row, rows[at + longest].end_ns, [float(closes[at + h] - closes[at]) for h in horizons])
        for at, row in enumerate(rows[: max(0, len(rows) - longest)])
        if row.model_inputs and row.volatility
    ]


def _stack(samples: Sequence[_Sample], horizons: tuple[int, ...]) -> Dataset:
    count = len(samples)
    rows = [sample.row for sample in samples]
    batch = Batch(
        model_inputs=np.array([row.model_inputs for row in rows], np.float32).reshape(count, len(MODEL_INPUT_NAMES)),
        sequence=np.array([row.sequence for row in rows], np.float32).reshape(
            count, SEQUENCE_STEPS, len(SEQUENCE_CHANNELS)
        ),
        returns=padded_returns([row.returns for row in rows]),
        volatility=np.array([row.volatility for row in rows], np.float64),
    )
    return Dataset(
        horizons,
        batch,
        np.array([sample.ticker for sample in samples], np.str_),
        np.array([row.end_ns for row in rows], np.int64),
        np.array([sample.label_end_ns for sample in samples], np.int64),
        np.array([sample.log_returns for sample in samples], np.float64).reshape(count, len(horizons)),
    )


def padded_returns(returns: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Give (n, RETURNS_COUNT), newest last, NaN on the left where history is shorter."""
    padded = np.full((len(returns), RETURNS_COUNT), np.nan)
    for line, known in zip(padded, returns, strict=True):
        if known:
            line[-len(known) :] = known
    return padded
