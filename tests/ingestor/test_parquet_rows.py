"""Values and columns of a Parquet file that are not as they should be."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ingestor.sources.file_options import FileOptions
from ingestor.sources.moments import Rejected
from ingestor.sources.parquet_rows import ParquetRows
from tests.ingestor.files import START_NS, play, write_parquet
from tests.ingestor.fold import ticks_of

_NOT_TEXT = pa.array([b"A", b"\xff\xfe"], pa.binary()).view(pa.string())


def _columns(**others: Any) -> dict[str, Any]:
    columns = {"ticker": ["A", "A"], "timestamp": [START_NS, START_NS + 1], "price": [1.0, 2.0], "size": [1.0, 1.0]}
    return {**columns, **others}


@pytest.mark.parametrize(
    "column",
    [
        _NOT_TEXT,
        pa.array([0, 2**62], pa.timestamp("us")),
        pa.array([START_NS, START_NS + 1], pa.timestamp("ns")),
        pa.array([2**63, 2**64 - 1], pa.uint64()),
        pa.array([[("a", 1)], [("b", 2)]], pa.map_(pa.string(), pa.int64())),
    ],
)
def test_a_column_that_is_not_needed_is_not_read(tmp_path: Path, column: Any) -> None:
    moments = play(FileOptions(write_parquet(tmp_path / "t.parquet", _columns(note=column, price=[1.0, -1.0])), "1m"))
    assert len(ticks_of(moments)) == 1
    (rejected,) = [bad for moment in moments for bad in moment.rejected]
    assert b"note" not in rejected.value


def test_a_value_that_cannot_be_converted_rejects_its_row_and_the_rest_goes_on(tmp_path: Path) -> None:
    moments = play(FileOptions(write_parquet(tmp_path / "t.parquet", _columns(ticker=_NOT_TEXT)), "1m"))
    assert len(ticks_of(moments)) == 1
    (rejected,) = [bad for moment in moments for bad in moment.rejected]
    assert rejected.place == "2"
    assert rejected.reason.startswith("ticker: the value cannot be read: 'utf-8' codec")
    assert b'"price":2.0' in rejected.value


def test_a_large_row_group_does_not_come_into_memory_whole(tmp_path: Path) -> None:
    count = 400_000
    chance = np.random.default_rng(1)
    columns = {
        "ticker": np.full(count, "A"),
        "timestamp": START_NS + np.arange(count) * 1_000,
        "price": chance.uniform(1, 2, count),
        "size": chance.uniform(1, 2, count),
        "note": chance.uniform(1, 2, count),
    }
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=count, compression="none", use_dictionary=False)
    before = pa.total_allocated_bytes()
    rows = ParquetRows(str(path)).rows()
    assert not any(isinstance(next(rows), Rejected) for _ in range(20_000))
    assert pa.total_allocated_bytes() - before < path.stat().st_size / 2
