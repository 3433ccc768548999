"""What is remembered so that predictions can be settled: of one ticker, and of one partition.

What bounds it, per ticker: the last `SettleRules.kept_closes` closes, with the horizons that a prediction has spoken of
from each; predictions from those that are not due yet, so at most `longest_horizon` of them; and at most
`MOST_AHEAD` predictions from bars that did not come yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec import Struct, field

from feature_stream.snapshots import Parts, Versions
from schemas.events import Direction
from schemas.times import Interval, interval_ns

#: First in every snapshot, as in `feature_stream.state`.
LEDGER_VERSION = 3
RECORD_VERSION = 1
#: Closes that are kept of a ticker, at least.
LEAST_CLOSES = 64
#: Predictions of a ticker may come so many before their bars; what is further ahead is not kept.
MOST_AHEAD = 64
#: As in `feature_stream.state`.
MAXIMUM_GUARDED_TICKERS = 30_000

_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True)
class SettleRules:
    """What decides, beside the two logs, which outcomes come out.

    Attributes:
        longest_horizon: In bars; predictions over longer ones are passed over.
    """

    interval: Interval
    longest_horizon: int = 21

    @cached_property
    def kept_closes(self) -> int:
        """Give how many closes are kept of a ticker; a prediction that is later than so many bars finds none."""
        return max(LEAST_CLOSES, self.longest_horizon + 1)

    @cached_property
    def length_ns(self) -> int:
        """Give the length of a bar."""
        return interval_ns(self.interval)


class Close(Struct, array_like=True):
    """A closed bar, as much of it as outcomes need.

    Attributes:
        source_offset: Of the frame of `ticks` that closed it.
        said: Horizons that a prediction has spoken of from here; the first one of each counts.
        rescaled: By what all earlier prices must be multiplied to be on the scale of this one.
    """

    bar_index: int
    end_ns: int
    price: float
    partial: bool
    origin_rank: int
    source_offset: int
    said: list[int] = []
    rescaled: float = 1.0


class OpenMember(Struct, array_like=True, frozen=True):
    """One model's own prediction for one horizon; names as in `MemberHorizon`."""

    name: str
    log_return: float
    spread: float | None
    confidence: float
    weight: float
    prior_weight: float | None


class OpenHorizon(Struct, array_like=True, frozen=True):
    """What was said of one horizon that is not due yet; names as in `HorizonPrediction`.

    Attributes:
        volatility: Of a bar; 0 where none was said.
        shadow: What the set beside it said: its ensemble, then its members; empty where there was none.
    """

    horizon: int
    log_return: float
    direction: Direction
    confidence: float
    interval_95: tuple[float, float] | None
    interval_99: tuple[float, float] | None
    volatility: float
    usual_direction: Direction | None
    members: list[OpenMember]
    shadow: list[OpenMember] = []


class OpenPrediction(Struct, array_like=True):
    """A prediction of which some horizons are not due yet; names as in `Prediction`."""

    id: str
    bar_index: int
    as_of_ns: int
    price: float
    model_set: str
    weights_version: str
    intervals_version: str
    in_sample: bool
    partial: bool
    origin_rank: int
    horizons: list[OpenHorizon]
    shadow_model_set: str | None = None


class TickerLedger(Struct, array_like=True, tag=LEDGER_VERSION):
    """One ticker's closes and open predictions.

    Attributes:
        partition: Of `ticks`, `bars` and `predictions`, that the ticker lives on.
        bars_offset: Of the last record of `bars` absorbed; -1: none.
        predictions_offset: Likewise of `predictions`.
        closes: By rising `bar_index`, which leaves out what the log leaves out.
        open: In the order of the log.
    """

    ticker: str
    partition: int
    bars_offset: int = -1
    predictions_offset: int = -1
    closes: list[Close] = field(default_factory=list)
    open: list[OpenPrediction] = field(default_factory=list)

    @property
    def newest_index(self) -> int:
        """Give the index of the newest bar; 0: there is none."""
        return self.closes[-1].bar_index if self.closes else 0

    @property
    def stands_at(self) -> int:
        """Give a number that grows with all that this ledger absorbs."""
        return self.bars_offset + self.predictions_offset

    def snapshot(self) -> bytes:
        """Write the state, versioned, all floats exact."""
        return _encode(self)

    @classmethod
    def restore(cls, data: bytes) -> "TickerLedger":
        """Read a state that behaves as the one that was written.

        Raises:
            SnapshotError: The bytes are of another version, or no snapshot.
        """
        return _LEDGER.read(data)


class SettleRecord(Struct, array_like=True, tag=RECORD_VERSION):
    """How far a partition of the two topics is absorbed; no ticker's state goes into it.

    Attributes:
        bars_offset: Of the last record of `bars` absorbed whole; -1: none.
        predictions_offset: Likewise of `predictions`.
        barred_through: The highest `source_offset` of a bar absorbed.
        predicted_through: Likewise of a prediction.
        kept: The two offsets at which each ticker's ledger is kept, at least; see `MAXIMUM_GUARDED_TICKERS`.
    """

    partition: int
    bars_offset: int = -1
    predictions_offset: int = -1
    barred_through: int = -1
    predicted_through: int = -1
    kept: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def stands_at(self) -> int:
        """Give a number that grows with all that is absorbed."""
        return self.bars_offset + self.predictions_offset

    def keep(self, ledger: TickerLedger) -> None:
        """Note that a ticker's ledger is kept as it is now."""
        if ledger.ticker in self.kept or len(self.kept) < MAXIMUM_GUARDED_TICKERS:
            self.kept[ledger.ticker] = (ledger.bars_offset, ledger.predictions_offset)

    def behind(self, ledgers: Mapping[str, TickerLedger]) -> list[TickerLedger]:
        """Give the ledgers that are older than those that were kept: the changelog lost the newer ones."""
        found = []
        for ticker, (bars_offset, predictions_offset) in self.kept.items():
            ledger = ledgers.get(ticker) or TickerLedger(ticker, self.partition)
            if ledger.bars_offset < bars_offset or ledger.predictions_offset < predictions_offset:
                found.append(ledger)
        return found

    def go_back_for(self, behind: list[TickerLedger]) -> None:
        """Begin again where the oldest of some ledgers stands; others pass over what they have absorbed."""
        self.bars_offset = min([self.bars_offset, *(ledger.bars_offset for ledger in behind)])
        self.predictions_offset = min([self.predictions_offset, *(ledger.predictions_offset for ledger in behind)])
        if behind:  # what is read again is merged again: how far the logs were once says nothing of that
            self.barred_through = self.predicted_through = -1

    def snapshot(self) -> bytes:
        """Write the state, versioned."""
        return _encode(self)

    @classmethod
    def restore(cls, data: bytes) -> "SettleRecord":
        """Read a state that behaves as the one that was written.

        Raises:
            SnapshotError: The bytes are of another version, or no snapshot.
        """
        return _RECORD.read(data)


def _without_shadow(parts: Parts) -> Parts:
    """Take a ledger of the time before sets were shown beside the one that answers: both fields came last, and lack."""
    return parts


def _on_one_scale(parts: Parts) -> Parts:
    """Take a ledger of the time before splits were told: the field of a close came last, and lacks."""
    return parts


_LEDGER = Versions(TickerLedger, LEDGER_VERSION, "a ticker's ledger", {1: _without_shadow, 2: _on_one_scale})
_RECORD = Versions(SettleRecord, RECORD_VERSION, "a partition's record", {})
