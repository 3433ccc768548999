"""Files for tests, and what they should play."""

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace
from tests.ingestor.fold import collect

MINUTE_NS = 60 * 10**9
#: 2024-01-02T14:30:00Z
START_NS = 1_704_205_800 * 10**9


def write_csv(path: Path, header: str, *rows: str) -> str:
    path.write_text("\n".join((header, *rows)) + "\n")
    return str(path)


def write_parquet(path: Path, columns: dict[str, object], row_group_size: int = 3) -> str:
    parquet.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return str(path)


def play(
    options: FileOptions, after: Position | None = None, pace: Pace | None = None, limit: int | None = None
) -> list[Moment]:
    """Play a file as a fresh process would, to its end."""
    source = FileSource(options, pace or Pace(0))
    moments = collect(source.ticks(after, {}), limit)
    return [moment for moment in moments if after is None or moment.position > after]
