"""Rows of a Parquet file, read by batches."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from ingestor.sources.contents import digest
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
#: About so many row groups are looked at in all of a file, and every so many rows of them.
_SAMPLE_GROUPS = 16
_SAMPLE_EVERY = 256
_UNIT_NS = {"s": NS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DAY_NS = 86_400 * NS_PER_SECOND
_TIME_COLUMN = "timestamp"


class ParquetRows:
    """A Parquet file."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
        except (OSError, pa.ArrowException) as error:
            raise StopAndSayError(f"{path} is no whole Parquet file: {error}") from error
        schema = self._file.schema_arrow
        self._names: list[str] = list(schema.names)
        self.columns = [name.strip().lower() for name in self._names]
        self._unit_ns = self._time_unit_ns(schema)
        self._zone = self._time_zone(schema)
        first = next(self.rows(), None)
        self.identity = digest(repr((self.columns, first)))

    def rows(self, after: int = 0) -> Iterator[FileRow | Rejected]:
        """Give the rows after a number."""
        group, before = self._group_with(after + 1)
        groups = range(group, self._file.num_row_groups)
        for number, values in enumerate(self._values(list(groups)), before + 1):
            if number > after:
                yield FileRow(number, values)

    def raw(self, row: FileRow) -> bytes:
        """Give a row as JSON: Parquet has no bytes of a row."""
        return msgspec.json.encode(dict(zip(self.columns, row.values, strict=True)), enc_hook=str)

    def tail(self) -> Iterator[FileRow | Rejected]:
        """Give the last rows of the last row group."""
        last = self._file.num_row_groups - 1
        for batch in deque(self._batches([last] if last >= 0 else []), maxlen=1):
            yield from (FileRow(0, values) for values in self._rows_of(batch))

    def _values(self, groups: list[int]) -> Iterator[tuple[Any, ...]]:
        for batch in self._batches(groups):
            yield from self._rows_of(batch)

    def _rows_of(self, batch: Any) -> Iterator[tuple[Any, ...]]:
        return zip(*(self._column(batch, index) for index in range(len(self._names))), strict=True)

    def _batches(self, groups: list[int]) -> Iterator[Any]:
        if not groups:
            return
        try:
            yield from self._file.iter_batches(batch_size=_BATCH_ROWS, row_groups=groups, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise StopAndSayError(f"{self._path} is damaged after its beginning: {error}") from error

    def sample(self) -> Iterator[FileRow | Rejected]:
        """Give every so many rows of some row groups."""
        count = self._file.num_row_groups
        groups = list(range(0, count, max(1, count // _SAMPLE_GROUPS)))
        for batch in self._batches(groups):
            few = batch.take(pa.array(range(0, batch.num_rows, _SAMPLE_EVERY)))
            yield from (FileRow(0, values) for values in self._rows_of(few))

    def _column(self, batch: Any, index: int) -> list[Any]:
        column = batch.column(index)
        if self._unit_ns is not None and self.columns[index] == _TIME_COLUMN:
            column = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
        values: list[Any] = column.to_pylist()
        return values

    def _time_unit_ns(self, schema: Any) -> int | None:
        if _TIME_COLUMN not in self.columns:
            return None
        kind = schema.field(self.columns.index(_TIME_COLUMN)).type
        if pa.types.is_timestamp(kind):
            return _UNIT_NS[kind.unit]
        if pa.types.is_date64(kind):
            return _UNIT_NS["ms"]
        return _DAY_NS if pa.types.is_date32(kind) else None

    def _time_zone(self, schema: Any) -> tzinfo | None:
        zone = getattr(schema.field(self.columns.index(_TIME_COLUMN)).type, "tz", None) if self._unit_ns else None
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
