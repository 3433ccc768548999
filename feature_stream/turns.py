"""Whose turn it is: which of two logs is read on, so that neither gets too far ahead of the other.

`bars` and `predictions` come at their own pace, above all after a stop, when each may bring thousands before the other
brings one. But a bar and the predictions made from it name the same place, the offset of the frame of `ticks` that
closed the bar, and a partition of either topic is in the order of these places (what is sent twice goes back a little).
So the two are merged by it.

Where only one of them has something, it goes on:

- Bars until one would push a close out of its ticker's ledger from which no prediction has spoken while one still may:
  the predictor is behind. They wait as long as it is, for without it there is nothing to settle. (A ticker of which
  none comes holds nobody up: a prediction from a later place shows that its turn is over.)
- Predictions while the bars of their place have come. Else their bars are on the way; they are waited for, for
  `PATIENCE_SECONDS`, then what has no bar may come too, and is passed over in its time.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from feature_stream.ledger import SettleRecord, SettleRules, TickerLedger
from schemas.events import Bar, Prediction

PATIENCE_SECONDS = 30.0


class Side(Enum):
    """One of the two logs; its value is the topic's name."""

    BARS = "bars"
    PREDICTIONS = "predictions"


@dataclass(frozen=True)
class Waiting:
    """A record that was read, and is to be absorbed when it is its turn.

    Attributes:
        event: None where it cannot be understood: then its turn is at once.
        problem: Why.
        record: As it was read.
    """

    offset: int
    event: Bar | Prediction | None
    problem: str = ""
    record: Any = None

    @property
    def place(self) -> int:
        """Give the offset of the frame of `ticks` that the event comes from."""
        return -1 if self.event is None else self.event.source_offset


@dataclass
class Turns:
    """What waits of one partition."""

    queues: dict[Side, deque[Waiting]] = field(default_factory=lambda: {side: deque() for side in Side})
    _held_since: float | None = None

    def next_side(
        self, record: SettleRecord, ledgers: Mapping[str, TickerLedger], rules: SettleRules, now: float
    ) -> Side | None:
        """Say of which log the first record is to be absorbed; None: of neither, for now.

        Args:
            record: Of the partition.
            ledgers: Of its tickers.
            rules: As for `feature_stream.settle`.
            now: A monotonic clock, in seconds.
        """
        bar, prediction = (queue[0] if queue else None for queue in self.queues.values())
        if bar is not None and (prediction is None or bar.place <= prediction.place):
            exposes = prediction is None and _exposes(bar.event, record, ledgers, rules)
            if exposes:
                return None
            self._held_since = None  # bars come: whoever waits for them waits anew
            return Side.BARS
        if prediction is None:
            return None
        if bar is None and prediction.place > record.barred_through and not self._lost_patience(now):
            return None
        self._held_since = None
        return Side.PREDICTIONS

    def _lost_patience(self, now: float) -> bool:
        if self._held_since is None:
            self._held_since = now
        return now - self._held_since > PATIENCE_SECONDS


def _exposes(
    bar: Bar | Prediction | None, record: SettleRecord, ledgers: Mapping[str, TickerLedger], rules: SettleRules
) -> bool:
    """Tell whether a bar would push out a close of which a prediction may still speak."""
    ledger = None if bar is None else ledgers.get(bar.ticker)
    if bar is None or ledger is None or len(ledger.closes) < rules.kept_closes or bar.bar_index <= ledger.newest_index:
        return False
    oldest = ledger.closes[0]
    return not oldest.said and oldest.source_offset >= record.predicted_through
