"""A file of ticks or bars as a source."""

from collections.abc import AsyncIterator, Collection

from ingestor.sources.file_bar_play import BarFilePlay
from ingestor.sources.file_intervals import length_of_bars, length_text, require_whole_bars
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_reader import RowReader
from ingestor.sources.file_rows import open_rows
from ingestor.sources.file_tick_play import TickFilePlay
from ingestor.sources.moments import Moment, Position, SourceHealth
from ingestor.sources.pace import Pace
from schemas.times import interval_ns


class FileSource:
    """Plays a CSV or Parquet file, streamed.

    Raises:
        StopAndSayError: The file cannot be read, lacks a column, or the interval is not a whole number of its bars.
    """

    live = False
    goes_on_from: tuple[str, ...] = ()

    def __init__(self, options: FileOptions, pace: Pace) -> None:
        file = open_rows(options.path)
        self._options = options
        self._reader = RowReader(file, options.path, options.tickers)
        self.content = options.content(file.identity)
        self.title = f"{self._reader.kind} of {options.path}"
        self._play: BarFilePlay | TickFilePlay
        if self._reader.kind == "bars":
            length_ns = self._bar_length_ns()
            if length_ns < interval_ns(options.interval):
                self.title += f", which last {length_text(length_ns)}, folded into bars of {options.interval}"
            self._play = BarFilePlay(options, self._reader, length_ns, pace)
        else:
            self._play = TickFilePlay(options, self._reader, pace)

    def ticks(
        self,
        after: Position | None,
        last_prices: dict[str, float],  # noqa: ARG002
        places: Collection[Position] = (),
    ) -> AsyncIterator[Moment]:
        """Play what comes after a position."""
        return self._play.ticks(after, places)

    def health(self) -> SourceHealth:
        """Say that all is well: what is read here is here."""
        return SourceHealth()

    def _bar_length_ns(self) -> int:
        length_ns = length_of_bars(self._reader) or interval_ns(self._options.interval)
        require_whole_bars(self._options.path, length_ns, self._options.interval)
        return length_ns
