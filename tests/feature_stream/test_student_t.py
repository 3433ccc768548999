"""Student's t against scipy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats  # type: ignore[import-untyped]

from feature_stream.student_t import quantile, survival


@given(some.floats(-60, 60), some.integers(1, 5_000))
def test_the_tail_is_scipys(t: float, degrees: int) -> None:
    assert survival(t, degrees) == pytest.approx(float(stats.t.sf(t, degrees)), rel=1e-9, abs=1e-300)


@given(some.floats(0.5001, 0.9999), some.integers(1, 5_000))
def test_the_quantile_is_scipys(probability: float, degrees: int) -> None:
    assert quantile(probability, degrees) == pytest.approx(float(stats.t.ppf(probability, degrees)), rel=1e-8)


@pytest.mark.parametrize(("degrees", "expected"), [(1, 12.706), (10, 2.228), (30, 2.042), (120, 1.980)], ids=str)
def test_the_quantiles_are_those_of_the_printed_tables(degrees: int, expected: float) -> None:
    assert round(quantile(0.975, degrees), 3) == expected


def test_the_middle_is_exact() -> None:
    assert survival(0.0, 249) == 0.5
    assert quantile(0.5, 249) == pytest.approx(0.0, abs=1e-9)
