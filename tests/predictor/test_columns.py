"""Arrays to plain lists."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.columns import by_row, or_none


@given(st.lists(st.floats(), max_size=12))
def test_numbers_that_are_not_finite_become_none_and_the_rest_stay(numbers: list[float]) -> None:
    assert or_none(np.array(numbers, np.float64)) == [number if math.isfinite(number) else None for number in numbers]


@given(st.integers(0, 5), st.integers(1, 4))
def test_rows_are_those_of_the_array(rows: int, width: int) -> None:
    table = np.arange(rows * width).reshape(rows, width)
    assert by_row(table.ravel().tolist(), width) == table.tolist()
