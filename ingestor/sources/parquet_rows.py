"""Rows of a Parquet file, read by batches."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ingestor.sources.contents import digest
from ingestor.sources.file_rows import FileRow
from ingestor.sources.file_times import parse_time
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError as error:
    raise StopAndSayError("reading Parquet needs pyarrow: pip install 'tickcast[data]'") from error

_BATCH_ROWS = 8_192
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
        """Give the rows of the last row group."""
        last = self._file.num_row_groups - 1
        for values in self._values([last] if last >= 0 else []):
            yield FileRow(0, values)

    def _values(self, groups: list[int]) -> Iterator[tuple[Any, ...]]:
        if not groups:
            return
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, row_groups=groups, use_threads=False):
                yield from zip(*(self._column(batch, index) for index in range(len(self._names))), strict=True)
        except (OSError, pa.ArrowException) as error:
            raise StopAndSayError(f"{self._path} is damaged after its beginning: {error}") from error

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

    def _group_with(self, number: int) -> tuple[int, int]:
        """Give the row group that holds a row, and the number of rows before it."""
        before = 0
        for group in range(self._file.num_row_groups):
            rows = self._file.metadata.row_group(group).num_rows
            if number <= before + rows:
                return group, before
            before += rows
        return self._file.num_row_groups, before
