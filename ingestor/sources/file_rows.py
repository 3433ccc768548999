"""Rows of a file, one after the other, whatever its format; never the whole of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError

PARQUET_MAGIC = b"PAR1"
_PARQUET_ENDINGS = (".parquet", ".pq")


class FileRow(NamedTuple):
    """One row.

    Attributes:
        number: A CSV's line, from 1; a Parquet file's row, from 1.
        values: By column.
        line: The bytes of a CSV's line, without its end.
    """

    number: int
    values: Sequence[Any]
    line: bytes = b""


class RowFile(Protocol):
    """A file of rows.

    Attributes:
        columns: Names in lower case.
    """

    columns: list[str]

    @property
    def identity(self) -> str:
        """Tell this file from another; does not change when rows are added."""
        ...

    def to_ns(self, value: Any) -> int:
        """Read a value of the column `timestamp`.

        Raises:
            ValueError: It is not a time.
        """
        ...

    def to_date_ns(self, value: Any) -> int:
        """Read a value of the column `timestamp` that `to_ns` reads: 00:00 UTC of the date in its own zone."""
        ...

    def rows(self, after: int = 0) -> Iterator[FileRow | Rejected | None]:
        """Give the rows after a number; what is not a row at all comes as rejected, each row before as None.

        Raises:
            StopAndSayError: The file cannot be read any further.
        """
        ...

    def raw(self, row: FileRow) -> bytes:
        """Give a row's bytes, or the nearest to them there is."""
        ...

    def tail(self) -> Iterator[FileRow | Rejected]:
        """Give some rows at the end, the last one among them; their numbers mean nothing."""
        ...

    def sample(self) -> Iterator[FileRow | Rejected]:
        """Give some rows from everywhere in the file, in its order; their numbers mean nothing."""
        ...


def cannot_read(path: str | Path, error: OSError) -> StopAndSayError:
    """Say that a file cannot be read, and why."""
    return StopAndSayError(f"TICKCAST_SOURCE: the file {path} cannot be read: {error.strerror or error}")


def open_rows(path: str) -> RowFile:
    """Open a CSV or Parquet file, told apart by its first bytes.

    Raises:
        StopAndSayError: It cannot be read, or is empty; the line names it.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(PARQUET_MAGIC))
    except OSError as error:
        raise cannot_read(path, error) from error
    if start == PARQUET_MAGIC or path.endswith(_PARQUET_ENDINGS):
        from ingestor.sources.parquet_rows import ParquetRows  # noqa: PLC0415 - pyarrow is only needed here

        return ParquetRows(path)
    from ingestor.sources.csv_rows import CsvRows  # noqa: PLC0415 - it needs the rows above

    return CsvRows(path)
