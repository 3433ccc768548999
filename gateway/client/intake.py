"""What comes through to the caller: everything that is new, once, and before it what is missing. No I/O, no clock."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from gateway.client.events import Event, Gap
from gateway.client.positions import Positions
from gateway.client.wishes import Wishes
from schemas.sockets import (
    BarMessage,
    BarSnapshot,
    PredictionMessage,
    Snapshot,
    StreamedBar,
    StreamedPrediction,
    Subscribed,
)

Placed = TypeVar("Placed", StreamedPrediction, StreamedBar)


class Intake:
    """Of one stream, over all its connections.

    Attributes:
        positions: What came so far, to resume from.
    """

    def __init__(self, wishes: Wishes, *, all_finals: bool) -> None:
        self.positions = Positions()
        self._wishes = wishes
        self._finals = Positions()
        self._all_finals = all_finals
        self._gapless = True

    def acknowledged(self, message: Subscribed) -> None:
        """Learn what the server will send."""
        self._gapless = message.gapless
        self.positions.heard_of_nothing(message.unknown)

    def forget(self, tickers: Sequence[str]) -> None:
        """Drop tickers that are no longer wanted."""
        if not self._wishes.listed():
            self.clear()
        for positions in (self.positions, self._finals):
            positions.forget(tickers)

    def clear(self) -> None:
        """Drop everything: what comes next belongs to another log."""
        self.positions.clear()
        self._finals.clear()

    def take(self, message: Snapshot | BarSnapshot | PredictionMessage | BarMessage) -> list[Event]:
        """Give what is new in a message, after what is missing before it."""
        match message:
            case Snapshot():
                gaps, predictions = self._new(message.predictions)
                self._completed(message.complete)
                return [*gaps, replace(message, predictions=predictions)]
            case BarSnapshot():
                gaps, bars = self._new(message.bars)
                self._completed(message.complete)
                return [*gaps, replace(message, bars=bars)]
            case PredictionMessage():
                gaps, taken = self._new([message])
                return [*gaps, message] if taken else []
            case BarMessage():
                gaps, closed = self._new([message])
                return [*gaps, message] if closed else []

    def _completed(self, complete: bool) -> None:
        if complete and self._wishes.everything:
            self.positions.complete = True

    def _new(self, updates: Sequence[Placed]) -> tuple[list[Gap], list[Placed]]:
        taken = [update for update in updates if self._is_new(update)]
        gaps = [gap for update in taken if (gap := self._missing_before(update)) is not None]
        return gaps, taken

    def _is_new(self, update: StreamedPrediction | StreamedBar) -> bool:
        return update.ticker in self._wishes and (
            update.seq is None or self.positions.is_new(update.ticker, update.seq)
        )

    def _missing_before(self, update: StreamedPrediction | StreamedBar) -> Gap | None:
        if update.seq is None:
            return None
        gap = self.positions.advance(update.ticker, update.seq, update.prev)
        if self._gapless or isinstance(update, StreamedBar):  # closed bars all come, whatever the options
            return gap
        if self._all_finals and not update.provisional:
            return self._finals.advance(update.ticker, update.seq, update.prev_final)
        return None
