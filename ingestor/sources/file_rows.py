"""Rows of a file, one after the other, whatever its format; never the whole of it."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from ingestor.sources.contents import digest
from ingestor.sources.file_times import parse_time
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError

PARQUET_MAGIC = b"PAR1"
_PARQUET_ENDINGS = (".parquet", ".pq")
#: No row is longer; a longer line is a bad row, and is not kept whole.
_LONGEST_LINE = 65_536
#: How much of a file's end is looked at for its last rows.
_TAIL_BYTES = 65_536


class FileRow(NamedTuple):
    """One row: its number (a CSV's line, from 1; a Parquet file's row, from 1) and its values by column."""

    number: int
    values: Sequence[Any]


class RowFile(Protocol):
    """A file of rows.

    Attributes:
        columns: Names in lower case.
        identity: Tells this file from another, and does not change when rows are added.
    """

    columns: list[str]
    identity: str

    def to_ns(self, value: Any) -> int:
        """Read a value of the column `timestamp`.

        Raises:
            ValueError: It is no time.
        """
        ...

    def rows(self, after: int = 0) -> Iterator[FileRow | Rejected]:
        """Give the rows after a number; what is no row at all comes as rejected."""
        ...

    def raw(self, row: FileRow) -> bytes:
        """Give a row's bytes, or the nearest to them there is."""
        ...

    def tail(self) -> Iterator[FileRow | Rejected]:
        """Give some rows at the end, the last one among them; their numbers mean nothing."""
        ...


def open_rows(path: str) -> RowFile:
    """Open a CSV or Parquet file, told apart by its first bytes.

    Raises:
        StopAndSayError: It cannot be read, or is empty; the line names it.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(PARQUET_MAGIC))
    except OSError as error:
        raise StopAndSayError(f"TICKCAST_SOURCE: the file {path} cannot be read: {error.strerror}") from error
    if start == PARQUET_MAGIC or path.endswith(_PARQUET_ENDINGS):
        from ingestor.sources.parquet_rows import ParquetRows  # noqa: PLC0415 - pyarrow is only needed here

        return ParquetRows(path)
    return CsvRows(path)


class CsvRows:
    """A CSV file with a header; a row is a line."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        with self._path.open("rb") as file:
            self._header = file.readline(_LONGEST_LINE)
            first = file.readline(_LONGEST_LINE)
        self.columns = _names(self._header, path)
        if not any(self.columns):
            raise StopAndSayError(f"{path} is empty: its first line must name the columns")
        self.identity = digest(repr((self._header.strip(), first.strip())))

    def rows(self, after: int = 0) -> Iterator[FileRow | Rejected]:
        """Give the rows after a line number, the header being line 1."""
        with self._path.open("rb") as file:
            file.readline(_LONGEST_LINE)
            for number, line in enumerate(_lines(file), 2):
                if number > after and (row := _row(number, line)):
                    yield row

    def to_ns(self, value: Any) -> int:
        """Read a time."""
        return parse_time(value)

    def raw(self, row: FileRow) -> bytes:
        """Give a row as it would be written."""
        return ",".join(map(str, row.values)).encode()

    def tail(self) -> Iterator[FileRow | Rejected]:
        """Give the rows in the last bytes of the file."""
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(len(self._header), size - _TAIL_BYTES))
            if file.tell() > len(self._header):
                file.readline()
            yield from (row for line in _lines(file) if (row := _row(0, line)))


def _names(header: bytes, path: str) -> list[str]:
    try:
        return [name.strip().lower() for name in _split(header.removeprefix(b"\xef\xbb\xbf"))]
    except ValueError as error:
        raise StopAndSayError(f"{path} is no CSV in UTF-8, nor Parquet: its first line: {error}") from error


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Give lines; of one that is too long, its beginning."""
    while line := file.readline(_LONGEST_LINE):
        rest = line
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
        yield line


def _row(number: int, line: bytes) -> FileRow | Rejected | None:
    try:
        if len(line) >= _LONGEST_LINE:
            raise ValueError(f"the line is longer than {_LONGEST_LINE} bytes")
        values = _split(line)
    except ValueError as error:
        return Rejected(value=line, code="row", reason=str(error), place=str(number))
    return FileRow(number, values) if any(values) else None


def _split(line: bytes) -> list[str]:
    """Split a line of CSV.

    Raises:
        ValueError: It is no text, or its quotes do not close.
    """
    text = line.decode().rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise ValueError(f"the line is no CSV: {error}") from error
