"""Samples: the features of a closed bar beside what the next bars brought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from predictor.models.base import Batch
from predictor.models.served import scales
from schemas.events import Features, Origin
from schemas.features import MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_CHANNELS, SEQUENCE_STEPS

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
    event: Features
    label_end_ns: int
    log_returns: list[float]


def dataset_from_features(events: Iterable[Features], horizons: Sequence[int]) -> Dataset:
    """Make samples of final feature events; each ticker's must be in the order of its bars.

    A bar gives a sample when its features are whole and the longest horizon's bar is there too. Bars of a
    repeated pass, simulated ones and partial ones are neither samples nor labels.
    """
    by_ticker: dict[str, list[Features]] = {}
    for event in events:
        if event.final:
            by_ticker.setdefault(event.ticker, []).append(event)
    samples = [sample for finals in by_ticker.values() for sample in _samples_of(finals, horizons)]
    samples.sort(key=lambda sample: (sample.event.as_of_ns, sample.event.ticker))
    return _stack(samples, tuple(horizons))


def _is_sound(event: Features) -> bool:
    return not event.partial and event.origin not in {Origin.REPEAT, Origin.SIMULATED}


def _samples_of(finals: Sequence[Features], horizons: Sequence[int]) -> list[_Sample]:
    longest = max(horizons)
    closes = np.log([event.bar.close for event in finals])
    samples = []
    for index, event in enumerate(finals[: max(0, len(finals) - longest)]):
        after = [index + horizon for horizon in horizons]
        whole = bool(event.model_inputs) and bool(event.volatility)
        if whole and _is_sound(event) and all(_is_sound(finals[there]) for there in after):
            returns = [float(closes[there] - closes[index]) for there in after]
            samples.append(_Sample(event, finals[index + longest].bar.end_ns, returns))
    return samples


def _stack(samples: Sequence[_Sample], horizons: tuple[int, ...]) -> Dataset:
    count = len(samples)
    events = [sample.event for sample in samples]
    batch = Batch(
        model_inputs=np.array([event.model_inputs for event in events], np.float32).reshape(
            count, len(MODEL_INPUT_NAMES)
        ),
        sequence=np.array([event.sequence for event in events], np.float32).reshape(
            count, SEQUENCE_STEPS, len(SEQUENCE_CHANNELS)
        ),
        returns=padded_returns([event.returns for event in events]),
        volatility=np.array([event.volatility for event in events], np.float64),
    )
    return Dataset(
        horizons,
        batch,
        np.array([event.ticker for event in events], np.str_),
        np.array([event.as_of_ns for event in events], np.int64),
        np.array([sample.label_end_ns for sample in samples], np.int64),
        np.array([sample.log_returns for sample in samples], np.float64).reshape(count, len(horizons)),
    )


def padded_returns(returns: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Give (n, RETURNS_COUNT), newest last, NaN on the left where history is shorter."""
    padded = np.full((len(returns), RETURNS_COUNT), np.nan)
    for row, known in zip(padded, returns, strict=True):
        if known:
            row[-len(known) :] = known
    return padded
