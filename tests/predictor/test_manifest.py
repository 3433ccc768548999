"""Which numbers of a manifest cannot serve."""

import math

import pytest

from predictor.manifest import fits
from schemas.events import Direction
from tests.predictor.forecasters import HORIZONS, Momentum, a_set

MEMBERS = [Momentum("forest", 1.0)]


@pytest.mark.parametrize("slopes", [[], [0.0, 0.5, 1.0]])
@pytest.mark.parametrize("usual", [[], [Direction.BULLISH] * 3])
def test_slopes_and_usual_directions_of_every_horizon_or_of_none_fit(
    slopes: list[float], usual: list[Direction]
) -> None:
    manifest = a_set(MEMBERS, [1.0], slopes=slopes, usual_directions=usual).manifest
    assert fits(manifest, interval="1d", horizons=HORIZONS) is None


@pytest.mark.parametrize("slopes", [[1.0], [1.0] * 4, [0.5, 0.5, 1.1], [-0.1, 0.5, 0.5], [math.nan, 0.5, 0.5]])
def test_slopes_that_are_none_are_refused(slopes: list[float]) -> None:
    manifest = a_set(MEMBERS, [1.0], slopes=slopes).manifest
    assert "its slopes are" in str(fits(manifest, interval="1d", horizons=HORIZONS))


def test_a_usual_direction_for_some_horizons_is_refused() -> None:
    manifest = a_set(MEMBERS, [1.0], usual_directions=[Direction.BULLISH]).manifest
    assert "its usual directions are" in str(fits(manifest, interval="1d", horizons=HORIZONS))
