"""What the rows of a file mean: ticks or bars."""

from collections.abc import Callable, Collection, Iterator, Sequence
from math import isfinite
from typing import Any, Literal, NamedTuple

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.file_rows import FileRow, RowFile
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.events import Tick
from schemas.symbols import normalise_ticker

FileKind = Literal["ticks", "bars"]
TICK_COLUMNS = ("ticker", "timestamp", "price", "size")
BAR_COLUMNS = ("ticker", "timestamp", "open", "high", "low", "close", "volume")

#: So many bad rows before the first good one: it is not the row, it is the file.
_MOST_BAD_AT_FIRST = 1_000


class TimedBar(NamedTuple):
    """A bar and the time that its row states."""

    time_ns: int
    bar: PlayedBar


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
        self._parse: Callable[[str, int, list[float]], Tick | TimedBar] = _tick if self.kind == "ticks" else _bar

    def read(self, after: int = 0) -> Iterator[Read | Rejected]:
        """Give what the rows after a number say, and those that say nothing clear as rejected.

        Raises:
            StopAndSayError: A thousand rows from the beginning, not one of them was understood.
        """
        rows = self.understand(self._file.rows(after))
        if not after:
            yield from self._until_one_is_good(rows)
        yield from rows

    def _until_one_is_good(self, rows: Iterator[Read | Rejected]) -> Iterator[Read | Rejected]:
        for count, read in enumerate(rows, 1):
            yield read
            if not isinstance(read, Rejected):
                return
            if count == _MOST_BAD_AT_FIRST:
                raise StopAndSayError(
                    f"{self._path}: none of the first {count} rows can be understood; row {read.place}: {read.reason}"
                )

    def understand(self, rows: Iterator[FileRow | Rejected]) -> Iterator[Read | Rejected]:
        """Give what rows say."""
        for row in rows:
            if isinstance(row, Rejected):
                yield row
            elif (read := self._understand(row)) is not None:
                yield read

    def reject(self, row: FileRow, code: str, reason: str) -> Rejected:
        """Reject a row."""
        return Rejected(value=self._file.raw(row), code=code, reason=reason, place=str(row.number))

    def _understand(self, row: FileRow) -> Read | Rejected | None:
        try:
            if len(row.values) != len(self._file.columns):
                raise ValueError(f"the row has {len(row.values)} values for {len(self._file.columns)} columns")
            ticker_text, time, *numbers = [row.values[index] for index in self._indexes]
            ticker = normalise_ticker(str(ticker_text or ""))
            if self._tickers and ticker not in self._tickers:
                return None
            return Read(row, self._parse(ticker, self._time_ns(time), self._numbers(numbers)))
        except ValueError as error:
            return self.reject(row, "row", str(error))

    def _time_ns(self, value: Any) -> int:
        try:
            return self._file.to_ns(value)
        except ValueError as error:
            raise ValueError(f"timestamp: {error}") from error

    def _numbers(self, values: Sequence[Any]) -> list[float]:
        numbers = []
        for name, value in zip(self._names[2:], values, strict=True):
            try:
                number = float(value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{name}: {str(value)[:40]!r} is not a number") from error
            least_is_met = number >= 0 if name in ("size", "volume") else number > 0
            if not (isfinite(number) and least_is_met):
                raise ValueError(f"{name}: {number} is not a {'' if name in ('size', 'volume') else 'positive '}number")
            numbers.append(number)
        return numbers


def kind_of(columns: Sequence[str], path: str) -> FileKind:
    """Tell ticks from bars by the columns.

    Raises:
        StopAndSayError: Columns are missing; the line names them.
    """
    missing_of_ticks = [name for name in TICK_COLUMNS if name not in columns]
    missing_of_bars = [name for name in BAR_COLUMNS if name not in columns]
    if not missing_of_bars:
        return "bars"
    if not missing_of_ticks:
        return "ticks"
    looks_like_ticks = "price" in columns or "size" in columns
    missing = missing_of_ticks if looks_like_ticks else missing_of_bars
    kind, names = ("ticks", TICK_COLUMNS) if looks_like_ticks else ("bars", BAR_COLUMNS)
    raise StopAndSayError(
        f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
        f"a file of {kind} has {','.join(names)}"
    )


def _tick(ticker: str, time_ns: int, numbers: list[float]) -> Tick:
    price, size = numbers
    return Tick(ticker, time_ns, price, size)


def _bar(ticker: str, time_ns: int, numbers: list[float]) -> TimedBar:
    first, high, low, last, volume = numbers
    if not low <= min(first, last) <= max(first, last) <= high:
        raise ValueError(f"low {low} and high {high} do not hold open {first} and close {last}")
    return TimedBar(time_ns, PlayedBar(ticker, first, high, low, last, volume))
