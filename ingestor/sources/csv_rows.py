"""Rows of a CSV file, line by line."""

import csv
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ingestor.sources.contents import digest
from ingestor.sources.file_rows import FileRow, cannot_read
from ingestor.sources.file_times import parse_date, parse_time
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError

_log = logging.getLogger(__name__)

#: No row is longer; a longer line is a bad row, and is not kept whole.
_LONGEST_LINE = 65_536
#: Rows that are looked at in all of a file.
_SAMPLE_ROWS = 2_000
#: How much of a file's end is looked at for its last rows.
_TAIL_BYTES = 65_536


class CsvRows:
    """A CSV file with a header; a row is a line."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._warned = False
        with _opened(self._path) as file:
            self._header = file.readline(_LONGEST_LINE)
            self._first = file.readline(_LONGEST_LINE)
        self.columns = _names(self._header, path)
        if not any(self.columns):
            raise StopAndSayError(f"{path} is empty: its first line must name the columns")

    @property
    def identity(self) -> str:
        """Give a digest of the first two lines."""
        return digest(repr((self._header.strip(), self._first.strip())))

    def rows(self, after: int = 0) -> Iterator[FileRow | Rejected | None]:
        """Give the rows after a line number, the header being line 1; None for each line before and an empty one."""
        line = b"\n"
        with _opened(self._path) as file:
            file.readline(_LONGEST_LINE)
            for number, line in enumerate(_lines(file), 2):
                yield _row(number, line) if number > after else None
        if not line.endswith(b"\n"):
            self._warn_of_open_end()

    def _warn_of_open_end(self) -> None:
        if not self._warned:
            _log.warning(
                "%s ends in the middle of a line: if it was cut off there, its last value is wrong", self._path
            )
        self._warned = True

    def to_ns(self, value: Any) -> int:
        """Read a time."""
        return parse_time(value)

    def to_date_ns(self, value: Any) -> int:
        """Read the date of a time."""
        return parse_date(value)

    def raw(self, row: FileRow) -> bytes:
        """Give a row's line as it stands in the file."""
        return row.line

    def tail(self) -> Iterator[FileRow | Rejected]:
        """Give the rows in the last bytes of the file."""
        with _opened(self._path) as file:
            size = file.seek(0, 2)
            file.seek(max(len(self._header), size - _TAIL_BYTES))
            if file.tell() > len(self._header):
                file.readline()
            yield from (row for line in _lines(file) if (row := _row(0, line)))

    def sample(self) -> Iterator[FileRow | Rejected]:
        """Give the rows at places of equal distance, as bytes go."""
        with _opened(self._path) as file:
            size = file.seek(0, 2)
            for place in range(len(self._header), size, max(1, size // _SAMPLE_ROWS)):
                file.seek(place)
                file.readline(_LONGEST_LINE)
                if row := _row(0, file.readline(_LONGEST_LINE)):
                    yield row


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file; what goes wrong while it is read stops the play with its name."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise cannot_read(path, error) from error


def _names(header: bytes, path: str) -> list[str]:
    try:
        return [name.strip().lower() for name in _split(header.removeprefix(b"\xef\xbb\xbf"))]
    except ValueError as error:
        raise StopAndSayError(f"{path} is neither CSV in UTF-8 nor Parquet: its first line: {error}") from error


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Give lines; of one that is too long, its beginning."""
    while line := file.readline(_LONGEST_LINE):
        rest = line
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
        yield line


def _row(number: int, line: bytes) -> FileRow | Rejected | None:
    line = line.rstrip(b"\r\n")
    try:
        if len(line) >= _LONGEST_LINE:
            raise ValueError(f"the line is longer than {_LONGEST_LINE} bytes")
        values = _split(line)
    except ValueError as error:
        return Rejected(value=line, code="row", reason=str(error), place=str(number))
    return FileRow(number, values, line) if any(values) else None


def _split(line: bytes) -> list[str]:
    """Split a line of CSV.

    Raises:
        ValueError: It is not text, or its quotes do not close.
    """
    text = line.decode().rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise ValueError(f"the line is not CSV: {error}") from error
