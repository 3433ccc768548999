"""Frames that open and close nothing, taken a column at a time: nearly all frames of a busy market.

Tick by tick (`feature_stream.advance`) anything may happen. A frame whose every tick is the newest of an open bar needs
none of that care, and costs about a fifth, however many tickers it speaks of.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from feature_stream.arrival import Arrival
from feature_stream.open_columns import OpenColumns, Real, Whole
from feature_stream.state import NEVER_NS, TickerState
from feature_stream.tick_columns import LEAST_TICKS, TickColumns
from schemas.events import ORIGIN_RANK
from schemas.times import bar_start_ns


class QuietLane:
    """The fast way for one partition. It may hold news that the states lack, until they are settled."""

    def __init__(self, states: Mapping[str, TickerState], least_ticks: int = LEAST_TICKS) -> None:
        """Make it.

        Args:
            states: Of the partition's tickers; new ones come in later.
            least_ticks: Of a frame that goes this way; at least 1.
        """
        self._states = states
        self._least_ticks = least_ticks
        self._highest_offset = max((state.offset for state in states.values()), default=-1)
        self._open = OpenColumns()
        self._changed = set(states)
        self._unsettled = np.zeros(self._open.capacity, np.bool_)
        self._touched = np.zeros(self._open.capacity, np.bool_)
        self._dirty = np.zeros(self._open.capacity, np.bool_)
        self._all_settled = True

    def take(self, arrival: Arrival, columns: TickColumns | None) -> int | None:
        """Take the ticks of a frame, if all of them are quiet and its watermark closes nothing.

        Args:
            arrival: Of the frame.
            columns: Its ticks, where they are at hand.

        Returns:
            Event time of its newest tick; None: it was not taken, and nothing has changed.
        """
        if len(arrival.frame.tickers) >= self._least_ticks and arrival.offset > self._highest_offset:
            self._reload()
            columns = columns or TickColumns.of(arrival.frame)
            slots = self._open.slots_of(arrival.frame.tickers)
            if slots is not None and self._is_quiet(arrival, columns, slots):
                self._add(arrival, columns, slots)
                return columns.newest_ns
        return None

    def note_changed(self, tickers: Iterable[str]) -> None:
        """Note that the states of some tickers, settled before, have changed."""
        self._changed.update(tickers)

    def settle(self, tickers: Iterable[str]) -> None:
        """Bring the states of some tickers up to date."""
        columns = self._open
        for ticker in tickers:
            slot = columns.slots.get(ticker)
            if slot is not None and self._unsettled[slot]:
                columns.settle(self._states[ticker], columns.whole[:, slot].tolist(), columns.real[:, slot].tolist())
                self._unsettled[slot] = False

    def settle_all(self) -> None:
        """Bring all states up to date."""
        if self._all_settled:
            return
        slots = np.flatnonzero(self._unsettled)
        whole, real = self._open.whole[:, slots].T.tolist(), self._open.real[:, slots].T.tolist()
        for slot, *rows in zip(slots.tolist(), whole, real, strict=True):
            self._open.settle(self._states[self._open.names[slot]], *rows)
        self._unsettled[slots] = False
        self._all_settled = True

    def take_touched(self) -> list[str]:
        """Give the tickers that frames have touched this way since this was asked last."""
        return self._take_names(self._touched)

    def take_dirty(self) -> list[str]:
        """Likewise, for another asker: whoever keeps the states."""
        return self._take_names(self._dirty)

    def _take_names(self, mask: NDArray[np.bool_]) -> list[str]:
        slots = np.flatnonzero(mask)
        mask[slots] = False
        names = self._open.names
        return [names[slot] for slot in slots.tolist()]

    def _reload(self) -> None:
        for ticker in self._changed:
            self._open.load(self._states[ticker])
        self._changed.clear()
        more = np.zeros(self._open.capacity - len(self._touched), np.bool_)
        if len(more):
            self._unsettled = np.concatenate((self._unsettled, more))
            self._touched = np.concatenate((self._touched, more))
            self._dirty = np.concatenate((self._dirty, more))

    def _is_quiet(self, arrival: Arrival, columns: TickColumns, slots: NDArray[np.intp]) -> bool:
        times_ns, whole = columns.times_ns, self._open.whole
        return bool(
            (times_ns < whole[Whole.QUIET_UNTIL_NS][slots]).all()
            and (times_ns >= whole[Whole.LAST_NS][slots]).all()
            and columns.in_order(slots)
            and _all_in_time(arrival, columns.oldest_ns, columns.newest_ns)
            and not self._closes(arrival, slots)
        )

    def _closes(self, arrival: Arrival, slots: NDArray[np.intp]) -> bool:
        """Tell whether the frame's watermark closes a bar: of its own tickers, or of those its source spoke of last."""
        watermark_ns = arrival.frame.watermark_ns
        if watermark_ns is None:
            return False
        whole = self._open.whole
        due = whole[Whole.FIRST_END_NS] <= watermark_ns
        if not due.any():
            return False
        from_source = whole[Whole.SOURCE] == self._open.source_number(arrival.frame.source)
        return bool(due[slots].any() or (due & from_source).any())

    def _add(self, arrival: Arrival, columns: TickColumns, slots: NDArray[np.intp]) -> None:
        frame, whole, real = arrival.frame, self._open.whole, self._open.real
        np.maximum.at(real[Real.HIGH], slots, columns.prices)
        np.minimum.at(real[Real.LOW], slots, columns.prices)
        np.add.at(real[Real.VOLUME], slots, columns.sizes)
        np.add.at(whole[Whole.TICK_COUNT], slots, 1)
        real[Real.CLOSE][slots] = columns.prices  # of several in one slot the last one stays, and they are in order
        whole[Whole.LAST_NS][slots] = columns.times_ns
        whole[Whole.OFFSET][slots] = arrival.offset
        whole[Whole.INGESTED_AT_NS][slots] = frame.ingested_at_ns
        whole[Whole.SOURCE][slots] = self._open.source_number(frame.source)
        np.maximum.at(whole[Whole.ORIGIN_RANK], slots, ORIGIN_RANK[frame.origin])
        self._unsettled[slots] = self._touched[slots] = self._dirty[slots] = True
        self._all_settled = False
        arrival.out.ticks_absorbed = len(slots)


def _all_in_time(arrival: Arrival, oldest_ns: int, newest_ns: int) -> bool:
    """Tell whether a frame's source sends none of its ticks late or early."""
    mark, rules = arrival.mark, arrival.rules
    if oldest_ns < bar_start_ns(mark.watermark_ns, rules.length_ns):
        return False
    known_ns = max(mark.newest_ns, mark.watermark_ns)
    return rules.early_ns is None or (known_ns != NEVER_NS and newest_ns - known_ns <= rules.early_ns)
