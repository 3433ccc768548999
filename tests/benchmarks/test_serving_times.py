"""What the benchmark of serving counts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.serving_times import read_lines, single_rows, timed, times_of
from predictor.batch import model_batch
from tests.predictor.feature_events import final


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=300))
def test_quantiles_are_the_smallest_time_that_so_many_do_not_pass(milliseconds: list[int]) -> None:
    found = times_of([each / 1_000 for each in milliseconds])
    for share, quantile in ((0.5, found.p50), (0.99, found.p99)):
        least = min(t for t in milliseconds if sum(each <= t for each in milliseconds) >= share * len(milliseconds))
        assert quantile == pytest.approx(least)


def test_of_a_hundred_times_the_last_but_one_is_p99() -> None:
    found = times_of([each / 1_000 for each in range(1, 101)])
    assert found.p50 == pytest.approx(50.0)
    assert found.p99 == pytest.approx(99.0)


def test_every_pass_takes_the_next_input() -> None:
    seen: list[int] = []
    timed(seen.append, [1, 2, 3], passes=7)
    assert seen[:7] == [1, 2, 3, 1, 2, 3, 1]
    assert len(seen) > 7, "what is not warm yet is not counted"


def test_a_file_is_read_in_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"1\n2\n3\n4\n5\n")
    assert list(read_lines(path, 2)) == [[b"1\n", b"2\n"], [b"3\n", b"4\n"]]


def test_single_rows_are_those_of_the_batch() -> None:
    batch = model_batch([final("AAPL"), final("IBM")])
    first, second = single_rows(batch)
    assert len(first) == len(second) == 1
    np.testing.assert_array_equal(second.sequence[0], batch.sequence[1])
    np.testing.assert_array_equal(first.model_inputs, batch.model_inputs[:1])
