"""The views: the latest prediction and the last closed bar of each ticker."""

import difflib
from collections.abc import Callable, Iterable

from gateway.entries import Entry, bar_entry, forming_entry, order_of, prediction_entry
from gateway.snapshots import Chunk, chunks
from schemas.events import Bar, Prediction


class View:
    """The latest entry of each ticker; it never goes back."""

    def __init__(self, snapshot_kind: str) -> None:
        self._snapshot_kind = snapshot_kind
        self._entries: dict[str, Entry] = {}
        self._finals: dict[str, Entry] = {}
        self._whole: list[Chunk] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, ticker: str) -> Entry | None:
        """Give a ticker's latest, or None."""
        return self._entries.get(ticker)

    def get_final(self, ticker: str) -> Entry | None:
        """Give a ticker's latest final, or None."""
        return self._finals.get(ticker)

    def entries(self) -> list[Entry]:
        """Give all latest, by ticker."""
        return [self._entries[ticker] for ticker in sorted(self._entries)]

    def unknown(self, tickers: Iterable[str]) -> list[str]:
        """Give those tickers of which nothing is known, in order."""
        return sorted(ticker for ticker in tickers if ticker not in self._entries)

    def snapshot(self, entries: list[Entry]) -> list[Chunk]:
        """Give a snapshot of some entries."""
        return chunks(self._snapshot_kind, entries)

    def whole_snapshot(self) -> list[Chunk]:
        """Give the snapshot of everything, made once between two changes."""
        if self._whole is None:
            self._whole = self.snapshot(self.entries())
        return self._whole

    def forget(self, ticker: str) -> None:
        """Drop a ticker, as a tombstone in a compacted topic asks."""
        self._finals.pop(ticker, None)
        if self._entries.pop(ticker, None) is not None:
            self._changed()

    def _accept(self, event: Prediction | Bar, make: Callable[[int | None, int | None], Entry]) -> Entry | None:
        known = self._entries.get(event.ticker)
        if known is not None and order_of(event) <= known.order:
            return None
        final = self._finals.get(event.ticker)
        entry = make(known.seq if known else None, final.seq if final else None)
        self._entries[entry.ticker] = entry
        if known is not None:
            known.drop_made()
        if entry.final:
            self._finals[entry.ticker] = entry
        self._changed()
        return entry

    def _changed(self) -> None:
        self._whole = None


class LatestView(View):
    """The latest prediction of each ticker.

    Attributes:
        caught_up: It has everything that the topic held when the gateway started.
    """

    def __init__(self) -> None:
        super().__init__("snapshot")
        self.caught_up = False
        self._all: bytes | None = None

    def accept(self, prediction: Prediction, seq: int = 0) -> Entry | None:
        """Take a prediction that is above the ticker's latest.

        Args:
            seq: Offset of its record.

        Returns:
            Its entry, or None where it was passed over.

        Raises:
            UndecodableError: A value cannot be said at the edge; nothing changed.
        """
        return self._accept(prediction, lambda prev, prev_final: prediction_entry(prediction, seq, prev, prev_final))

    def _changed(self) -> None:
        super()._changed()
        self._all = None

    def all_bytes(self) -> bytes:
        """Give the JSON of `/predictions`."""
        if self._all is None:
            bodies = b",".join(entry.body for entry in self.entries())
            self._all = b'{"count":%d,"predictions":[%b]}' % (len(self._entries), bodies)
        return self._all

    def near(self, ticker: str, count: int = 5) -> list[str]:
        """Give the known tickers that look most like an unknown one, best first."""
        alike = [known for known in self._entries if abs(len(known) - len(ticker)) <= 2 and set(known) & set(ticker)]
        return difflib.get_close_matches(ticker, sorted(alike), n=count, cutoff=0.5)


class LatestBars(View):
    """The last closed bar of each ticker that closed one lately."""

    def __init__(self) -> None:
        super().__init__("bar_snapshot")

    def accept(self, bar: Bar, seq: int) -> Entry | None:
        """Take a bar that is above the ticker's last; arguments and answer as of `LatestView.accept`.

        Raises:
            UndecodableError: A value cannot be said at the edge; nothing changed.
        """
        return self._accept(bar, lambda prev, _: bar_entry(bar, seq, prev))

    def forming(self, prediction: Prediction) -> Entry | None:
        """Give the bar that a prediction saw forming; None where it has closed since, or there is none.

        Raises:
            UndecodableError: A value cannot be said at the edge.
        """
        closed = self._entries.get(prediction.ticker)
        if prediction.bar is None or not prediction.provisional:
            return None
        if closed is not None and prediction.bar_index < closed.order[1]:
            return None
        return forming_entry(prediction)
