"""First quantiles and intervals against crepes, an implementation of conformal regressors by others."""

import math
import warnings

import numpy as np
import pytest
from crepes import ConformalRegressor
from hypothesis import given
from hypothesis import strategies as st

from feature_stream.calibration import conformal_quantile as quantile_of_scores
from predictor.training.calibrate import conformal_quantile, interval_quantiles
from tests.predictor_models.examples import HORIZONS, random_samples

COVERAGES = (0.90, 0.95, 0.99)
#: crepes counts (1 - coverage)(n + 1) whole errors from above, and 1 - 0.9 is a hair below 0.1.
_HAIR = 1e-12


def of_crepes(errors: np.ndarray, coverage: float) -> float:
    """Give half the width of crepes' interval; infinite where there are too few errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns then
        interval = ConformalRegressor().fit(errors).predict_int(np.zeros(1), confidence=coverage - _HAIR)
    return float(interval[0, 1])


@given(st.integers(1, 3_000), st.sampled_from(COVERAGES), st.integers(0, 1_000))
def test_quantiles_are_those_of_crepes(count: int, coverage: float, seed: int) -> None:
    errors = np.random.default_rng(seed).standard_t(4, count)
    expected = of_crepes(errors, coverage)
    of_scores = quantile_of_scores(np.abs(errors), round(1.0 - coverage, 2))
    if math.isinf(expected):
        assert of_scores is None
        with pytest.raises(ValueError, match="too few"):
            conformal_quantile(np.abs(errors), coverage)
    else:
        assert of_scores == conformal_quantile(np.abs(errors), coverage) == expected


def test_intervals_of_returns_are_those_of_a_normalised_conformal_regressor() -> None:
    """Residuals over volatility times sqrt(horizon): crepes' `sigmas`."""
    past, coming = random_samples(1, 200, 3), random_samples(2, 40, 3)
    said = np.random.default_rng(3).normal(0, 0.002, coming.log_returns.shape)
    quantiles = interval_quantiles(HORIZONS, past.log_returns / past.units())
    for at, each in enumerate(quantiles):
        regressor = ConformalRegressor().fit(past.log_returns[:, at], sigmas=past.units()[:, at])
        for coverage, quantile in ((0.95, each.quantile_95), (0.99, each.quantile_99)):
            unit = coming.units()[:, at]
            interval = regressor.predict_int(said[:, at], sigmas=unit, confidence=coverage - _HAIR)
            assert np.allclose(interval[:, 0], said[:, at] - quantile * unit, rtol=1e-12, atol=0)
            assert np.allclose(interval[:, 1], said[:, at] + quantile * unit, rtol=1e-12, atol=0)
