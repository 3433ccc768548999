"""Rows of a file, understood or rejected."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from ingestor.sources.file_columns import (
    BAR_COLUMNS,
    TICK_COLUMNS,
    FileKind,
    TimedBar,
    kind_of,
    parse_bar,
    parse_numbers,
    parse_tick,
)
from ingestor.sources.file_rows import FileRow, RowFile
from ingestor.sources.moments import Fault, Rejected
from schemas.errors import StopAndSayError
from schemas.events import Tick
from schemas.symbols import normalise_ticker

#: So many bad rows before the first good one: it is not the row, it is the file.
_MOST_BAD_AT_FIRST = 1_000
#: Where a row's time is among its values, of ticks and of bars.
_TIME = BAR_COLUMNS.index("timestamp")


class Read(NamedTuple):
    """A row that was understood."""

    row: FileRow
    value: Tick | TimedBar


class RowReader:
    """Reads rows as ticks or bars; which of the two, the columns say.

    Args:
        path: For messages.
        tickers: Rows of others are passed over; empty: all.

    Raises:
        StopAndSayError: A column is missing; the line names it.
    """

    def __init__(self, file: RowFile, path: str, tickers: Collection[str] = ()) -> None:
        self.kind: FileKind = kind_of(file.columns, path)
        self._file = file
        self._path = path
        self._tickers = frozenset(tickers)
        names = TICK_COLUMNS if self.kind == "ticks" else BAR_COLUMNS
        self._indexes = [file.columns.index(name) for name in names]
        self._names = names
        self._parse: Callable[[str, int, list[float]], Tick | TimedBar] = (
            parse_tick if self.kind == "ticks" else parse_bar
        )

    def read(self, after: int = 0) -> Iterator[Read | Rejected | None]:
        """Give what the rows after a number say, those that say nothing clear as rejected, and None for the others.

        Raises:
            StopAndSayError: A thousand rows from the beginning, not one of them was understood.
        """
        rows = self.understand(self._file.rows(after))
        if not after:
            yield from self._until_one_is_good(rows)
        yield from rows

    def _until_one_is_good(self, rows: Iterator[Read | Rejected | None]) -> Iterator[Read | Rejected | None]:
        bad = 0
        for read in rows:
            yield read
            if isinstance(read, Read):
                return
            bad += read is not None
            if read is not None and bad == _MOST_BAD_AT_FIRST:
                raise StopAndSayError(
                    f"{self._path}: none of the first {bad} rows can be understood; row {read.place}: {read.reason}"
                )

    def understand(self, rows: Iterator[FileRow | Rejected | None]) -> Iterator[Read | Rejected | None]:
        """Give what rows say; None for a row of another ticker."""
        for row in rows:
            yield self._understand(row) if isinstance(row, FileRow) else row

    def reject(self, row: FileRow, code: Fault, reason: str) -> Rejected:
        """Reject a row."""
        return Rejected(value=self._file.raw(row), code=code, reason=reason, place=str(row.number))

    def date_ns(self, row: FileRow) -> int:
        """Give 00:00 UTC of the date that an understood row states, in the zone that it states: a daily bar's start."""
        return self._file.to_date_ns(row.values[self._indexes[_TIME]])

    def _understand(self, row: FileRow) -> Read | Rejected | None:
        try:
            if len(row.values) != len(self._file.columns):
                raise ValueError(f"the row has {len(row.values)} values for {len(self._file.columns)} columns")
            ticker_text, time, *numbers = [row.values[index] for index in self._indexes]
            ticker = normalise_ticker(str(ticker_text or ""))
            if self._tickers and ticker not in self._tickers:
                return None
            return Read(row, self._parse(ticker, self._time_ns(time), parse_numbers(self._names[2:], numbers)))
        except ValueError as error:
            return self.reject(row, "row", str(error))

    def _time_ns(self, value: Any) -> int:
        try:
            return self._file.to_ns(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"timestamp: {error}") from error
