"""Rows of a Parquet file, read by batches."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from ingestor.sources.contents import digest
from ingestor.sources.file_columns import BAR_COLUMNS, TICK_COLUMNS
from ingestor.sources.file_rows import FileRow
from ingestor.sources.file_times import offset_ns, parse_date, parse_time
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND, bar_start_ns

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError as error:
    raise StopAndSayError("reading Parquet needs pyarrow: pip install 'tickcast[data]'") from error

_BATCH_ROWS = 8_192
#: Of a column chunk, read at once: without it, or with pre-buffering, whole row groups come into memory.
_BUFFER_BYTES = 1 << 20
#: About so many row groups are looked at in all of a file, and every so many rows of them.
_SAMPLE_GROUPS = 16
_SAMPLE_EVERY = 256
_UNIT_NS = {"s": NS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DAY_NS = 86_400 * NS_PER_SECOND
_TIME_COLUMN = "timestamp"
_USED_COLUMNS = frozenset((*TICK_COLUMNS, *BAR_COLUMNS))


class _Unreadable:
    """Stands for a value that cannot be converted."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __str__(self) -> str:
        return f"the value cannot be read: {self._error}"


class ParquetRows:
    """A Parquet file; of its columns, only those that ticks or bars have."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        except (OSError, pa.ArrowException) as error:
            raise StopAndSayError(f"{path} is not a whole Parquet file: {error}") from error
        fields = [field for field in self._file.schema_arrow if field.name.strip().lower() in _USED_COLUMNS]
        self._names: list[str] = [field.name for field in fields]
        self.columns = [name.strip().lower() for name in self._names]
        time_type = next(
            (field.type for field, name in zip(fields, self.columns, strict=True) if name == _TIME_COLUMN), None
        )
        self._unit_ns = _time_unit_ns(time_type)
        self._zone = self._time_zone(time_type)

    @property
    def identity(self) -> str:
        """Give a digest of the columns and the first row."""
        return digest(repr((self.columns, next(self.rows(), None))))

    def rows(self, after: int = 0) -> Iterator[FileRow | Rejected | None]:
        """Give the rows after a number; None for those before it in their row group."""
        group, before = self._group_with(after + 1)
        groups = range(group, self._file.num_row_groups)
        for number, values in enumerate(self._values(list(groups)), before + 1):
            yield self._row(number, values) if number > after else None

    def raw(self, row: FileRow) -> bytes:
        """Give a row as JSON: Parquet has no bytes of a row."""
        return self._json(row.values)

    def tail(self) -> Iterator[FileRow | Rejected]:
        """Give the last rows of the last row group."""
        last = self._file.num_row_groups - 1
        for batch in deque(self._batches([last] if last >= 0 else []), maxlen=1):
            yield from (self._row(0, values) for values in self._rows_of(batch))

    def sample(self) -> Iterator[FileRow | Rejected]:
        """Give every so many rows of some row groups."""
        count = self._file.num_row_groups
        groups = list(range(0, count, max(1, count // _SAMPLE_GROUPS)))
        for batch in self._batches(groups):
            few = batch.take(pa.array(range(0, batch.num_rows, _SAMPLE_EVERY)))
            yield from (self._row(0, values) for values in self._rows_of(few))

    def _values(self, groups: list[int]) -> Iterator[tuple[Any, ...]]:
        for batch in self._batches(groups):
            yield from self._rows_of(batch)

    def _row(self, number: int, values: Sequence[Any]) -> FileRow | Rejected:
        if _Unreadable not in map(type, values):
            return FileRow(number, values)
        bad = (
            f"{name}: {value}" for name, value in zip(self.columns, values, strict=True) if type(value) is _Unreadable
        )
        return Rejected(value=self._json(values), code="row", reason="; ".join(bad), place=str(number))

    def _json(self, values: Sequence[Any]) -> bytes:
        return msgspec.json.encode(dict(zip(self.columns, values, strict=True)), enc_hook=str)

    def _rows_of(self, batch: Any) -> Iterator[tuple[Any, ...]]:
        return zip(*(self._column(batch, name) for name in self._names), strict=True)

    def _batches(self, groups: list[int]) -> Iterator[Any]:
        if not groups:
            return
        try:
            yield from self._file.iter_batches(
                batch_size=_BATCH_ROWS, row_groups=groups, columns=self._names, use_threads=False
            )
        except (OSError, pa.ArrowException) as error:
            raise StopAndSayError(f"{self._path} is damaged after its beginning: {error}") from error

    def _column(self, batch: Any, name: str) -> list[Any]:
        column = batch.column(name)
        if self._unit_ns is not None and name.strip().lower() == _TIME_COLUMN:
            column = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
        try:
            values: list[Any] = column.to_pylist()
        except _CONVERSION_ERRORS:  # one of them; the others in its batch are good
            values = [_converted(scalar) for scalar in column]
        return values

    def _time_zone(self, time_type: Any) -> tzinfo | None:
        zone = getattr(time_type, "tz", None)
        try:
            return None if zone is None else pa.lib.string_to_tzinfo(zone)
        except (KeyError, ValueError) as error:
            raise StopAndSayError(f"{self._path}: the time zone {zone!r} of timestamp is not known here") from error

    def to_ns(self, value: Any) -> int:
        """Read a time; of a column of times, in its own unit. A stated zone only says how to show it."""
        if value is None:
            raise ValueError("it is empty")
        if self._unit_ns is None:
            return parse_time(value)
        time_ns = int(value) * self._unit_ns
        if not 0 <= time_ns < 2**63:
            raise ValueError("it is not in the years 1970 to 2262")
        return time_ns

    def to_date_ns(self, value: Any) -> int:
        """Read the date of a time, in the zone of the column."""
        if self._unit_ns is None:
            return parse_date(value)
        time_ns = int(value) * self._unit_ns
        offset = (
            None if self._zone is None else datetime.fromtimestamp(time_ns // NS_PER_SECOND, self._zone).utcoffset()
        )
        return bar_start_ns(time_ns + offset_ns(offset), _DAY_NS)

    def _group_with(self, number: int) -> tuple[int, int]:
        """Give the row group that holds a row, and the number of rows before it."""
        before = 0
        for group in range(self._file.num_row_groups):
            rows = self._file.metadata.row_group(group).num_rows
            if number <= before + rows:
                return group, before
            before += rows
        return self._file.num_row_groups, before


#: What pyarrow raises for a value that Python cannot hold: text that is not UTF-8, a time too far away.
_CONVERSION_ERRORS = (ValueError, ArithmeticError, LookupError, pa.ArrowException)


def _converted(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except _CONVERSION_ERRORS as error:
        return _Unreadable(error)


def _time_unit_ns(time_type: Any) -> int | None:
    """Give the unit of a column of times; None where it is not one."""
    if time_type is None:
        return None
    if pa.types.is_timestamp(time_type):
        return _UNIT_NS[time_type.unit]
    if pa.types.is_date64(time_type):
        return _UNIT_NS["ms"]
    return _DAY_NS if pa.types.is_date32(time_type) else None
