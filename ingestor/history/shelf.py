"""Where the past is kept: a Parquet file for each piece, and one of all that was asked for, which can be played."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow import parquet

from ingestor.history.asked import Piece
from ingestor.sources.bars import BarColumns
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND, Interval
from schemas.whole_file import write_whole

#: Splits and dividends change the whole past at once, so what is older is fetched anew, and never patched.
KEPT_NS = 86_400 * NS_PER_SECOND
_NOTE = b"tickcast"
_SCHEMA = pa.schema(
    [
        ("ticker", pa.string()),
        ("timestamp", pa.timestamp("ns", tz="UTC")),
        *((name, pa.float64()) for name in ("open", "high", "low", "close", "volume")),
    ]
)


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of a piece holds: all bars that start in `[start_ns, end_ns)`, as they were when it was fetched."""

    start_ns: int
    end_ns: int
    to_now: bool
    fetched_ns: int
    content: dict[str, str]


class Shelf:
    """The files of one source and interval.

    Args:
        folder: Of all sources.
        content: What decides which bars the source gives; a piece made with others counts as none.
    """

    def __init__(self, folder: Path, source: str, interval: Interval, content: dict[str, str]) -> None:
        self._folder = folder / source / interval
        self._content = content
        self.whole = folder / f"{source}-{interval}.parquet"

    def has(self, piece: Piece, now_ns: int) -> bool:
        """Tell whether a piece is here, and fresh; one that reached to its now does so until it is too old."""
        note = self._note(piece)
        if note is None or note.content != self._content or not 0 <= now_ns - note.fetched_ns < KEPT_NS:
            return False
        reaches = note.end_ns >= piece.end_ns or (note.to_now and piece.to_now)
        return reaches and note.start_ns <= piece.start_ns

    def reached_ns(self, piece: Piece) -> int:
        """Give the time before which a kept piece has all bars."""
        note = self._note(piece)
        return piece.start_ns if note is None else min(piece.end_ns, note.end_ns)

    def put(self, piece: Piece, bars: BarColumns | None, fetched_ns: int) -> None:
        """Keep a piece, whole or not at all; one without bars is kept, too."""
        note = _Note(
            start_ns=piece.start_ns,
            end_ns=piece.end_ns,
            to_now=piece.to_now,
            fetched_ns=fetched_ns,
            content=self._content,
        )
        table = _SCHEMA.empty_table() if bars is None else _table(piece.ticker, bars)
        _write(self._path(piece), table.replace_schema_metadata({_NOTE: msgspec.json.encode(note)}))

    def bars(self, pieces: Sequence[Piece]) -> pa.Table:
        """Give the bars that were asked for, in the order in which a file is played."""
        tables = []
        for piece in pieces:
            table = parquet.read_table(self._path(piece)).replace_schema_metadata(None)
            starts = table["timestamp"].cast(pa.int64()).to_numpy()
            tables.append(table.filter(pa.array((starts >= piece.start_ns) & (starts < piece.end_ns))))
        return pa.concat_tables(tables).sort_by([("timestamp", "ascending"), ("ticker", "ascending")])

    def put_whole(self, bars: pa.Table) -> None:
        """Write the file that is played."""
        _write(self.whole, bars)

    def _note(self, piece: Piece) -> _Note | None:
        try:
            metadata = parquet.read_schema(self._path(piece)).metadata or {}
            return msgspec.json.decode(metadata[_NOTE], type=_Note)
        except (OSError, KeyError, pa.ArrowException, msgspec.DecodeError):
            return None

    def _path(self, piece: Piece) -> Path:
        return self._folder / piece.ticker / f"{piece.label}.parquet"


def _table(ticker: str, bars: BarColumns) -> pa.Table:
    times = pa.array(bars.start_ns).cast(_SCHEMA.field("timestamp").type)
    prices = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return pa.table([pa.array([ticker] * len(bars), pa.string()), times, *map(pa.array, prices)], schema=_SCHEMA)


def _write(path: Path, table: pa.Table) -> None:
    content = pa.BufferOutputStream()
    parquet.write_table(table, content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue().to_pybytes())
    except OSError as error:
        raise StopAndSayError(f"{path} cannot be written: {error.strerror}") from error
