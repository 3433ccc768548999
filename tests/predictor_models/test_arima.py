"""The pooled ARIMA against statsmodels: its forecasts, its likelihood, its coefficients."""

import warnings
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.arima_process import ArmaProcess, arma_acovf
from statsmodels.tsa.statespace.tools import constrain_stationary_univariate

from predictor.models.arima import ArimaCoefficients, ArimaForecaster
from predictor.models.autocovariance import autocovariances, linear_map
from predictor.models.base import Batch, FloatArray
from predictor.training.arima_fit import chained, fit_arima, fit_coefficients, standardised_runs
from predictor.training.arima_order import Order, best_order
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from schemas.features import RETURNS_COUNT
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_batch

pytestmark = pytest.mark.xdist_group("arima")

unconstrained = st.floats(-1.5, 1.5)
orders = st.tuples(st.lists(unconstrained, max_size=5), st.lists(unconstrained, max_size=2))


def coefficients_of(parts: tuple[list[float], list[float]], mean: float) -> ArimaCoefficients:
    """Make a stationary and invertible process of any numbers."""
    ar, ma = parts
    return ArimaCoefficients(
        ar=constrain_stationary_univariate(np.array(ar)).tolist() if ar else [],
        ma=(-constrain_stationary_univariate(np.array(ma))).tolist() if ma else [],
        mean=mean,
    )


def served(coefficients: ArimaCoefficients) -> ArimaForecaster:
    return ArimaForecaster(msgspec.json.encode(coefficients), HORIZONS, (1.0, 1.0, 1.0))


def batch_of(returns: FloatArray, volatility: FloatArray) -> Batch:
    """Give a batch with these histories, NaN on the left where they are short."""
    return replace(random_batch(1, len(returns)), returns=returns, volatility=volatility)


def own_forecast(coefficients: ArimaCoefficients, row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ask statsmodels for the sum of the next values after a row that may begin with missing ones."""
    model = ARIMA(row, order=(len(coefficients.ar), 0, len(coefficients.ma)), trend="c")
    result = model.filter([coefficients.mean, *coefficients.ar, *coefficients.ma, 1.0])
    steps: NDArray[np.float64] = np.asarray(result.forecast(max(HORIZONS)), np.float64)
    return np.asarray(steps.cumsum()[np.array(HORIZONS) - 1])


@settings(max_examples=25, deadline=None)
@given(orders, st.floats(-0.1, 0.1), st.integers(1, RETURNS_COUNT), st.integers(0, 1_000))
def test_forecasts_are_statsmodels_to_a_millionth(
    parts: tuple[list[float], list[float]], mean: float, known: int, seed: int
) -> None:
    coefficients = coefficients_of(parts, mean)
    batch = random_batch(seed, 1)
    batch.returns[0, : RETURNS_COUNT - known] = np.nan
    said = served(coefficients).predict(batch).log_returns[0]
    oracle = own_forecast(coefficients, batch.returns[0] / batch.volatility[0]) * batch.volatility[0]
    assert np.abs(said - oracle).max() <= 1e-6


@settings(max_examples=50, deadline=None)
@given(orders)
def test_autocovariances_are_statsmodels(parts: tuple[list[float], list[float]]) -> None:
    given_ = coefficients_of(parts, 0.0)
    oracle = arma_acovf(np.r_[1.0, -np.array(given_.ar)], np.r_[1.0, given_.ma], nobs=84)
    own = autocovariances(given_.ar, given_.ma, 84)
    assert np.allclose(own, oracle, rtol=1e-6, atol=1e-6 * own[0])


def test_an_autoregression_of_order_one_forecasts_a_geometric_sum_of_the_last_value() -> None:
    weights = linear_map(autocovariances([0.5], [], 100), 10, (1, 2, 3))
    assert np.allclose(weights[:, -1], [0.5, 0.75, 0.875])
    assert np.allclose(weights[:, :-1], 0.0)


def test_without_terms_the_forecast_is_the_mean_times_the_volatility_and_the_bars() -> None:
    batch = random_batch(2, 5)
    batch.returns[1, :] = np.nan
    said = served(ArimaCoefficients(ar=[], ma=[], mean=0.02)).predict(batch).log_returns
    assert np.allclose(said, 0.02 * batch.volatility[:, None] * np.array(HORIZONS))


def test_the_forecast_is_linear_in_the_returns_and_forgets_the_volatility() -> None:
    forecaster = served(ArimaCoefficients(ar=[0.2, -0.1], ma=[0.3], mean=0.0))
    one, other = random_batch(3, 8), random_batch(4, 8)
    both = batch_of(2.0 * one.returns - 3.0 * other.returns, one.volatility * 7.0)
    expected = 2.0 * forecaster.predict(one).log_returns - 3.0 * forecaster.predict(other).log_returns
    assert np.allclose(forecaster.predict(both).log_returns, expected, atol=1e-12)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"ar": [2.0], "ma": [], "mean": 0.0}',
        b'{"ar": [1.0], "ma": [], "mean": 0.0}',
        b'{"ar": [], "ma": [], "mean": 0.0, "drift": 1.0}',
        b'{"ar": [' + b"0.0," * 70 + b'0.0], "ma": [], "mean": 0.0}',
    ],
)
def test_a_file_that_is_no_stationary_process_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        ArimaForecaster(content, HORIZONS, (1.0, 1.0, 1.0))


def simulated(ar: list[float], ma: list[float], count: int, seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    process = ArmaProcess(np.r_[1.0, -np.array(ar)], np.r_[1.0, ma])
    return np.asarray(process.generate_sample(count, distrvs=random.standard_normal, burnin=200))


@pytest.mark.parametrize(
    ("ar", "ma", "order"),
    [([], [], Order(0, 0)), ([0.5, -0.4], [], Order(2, 0)), ([], [0.6], Order(0, 1)), ([0.7], [0.5], Order(1, 1))],
)
def test_the_order_of_a_long_series_is_found(ar: list[float], ma: list[float], order: Order) -> None:
    assert best_order([simulated(ar, ma, 3_000, seed) for seed in (1, 2)]) == order


def test_runs_too_short_to_tell_have_no_order() -> None:
    assert best_order([simulated([0.9], [], 20, 1)]) == Order(0, 0)
    assert best_order([]) == Order(0, 0)


def test_one_run_is_fitted_as_statsmodels_fits_it() -> None:
    values = simulated([0.4], [0.3], 1_500, 5) + 0.1
    oracle = ARIMA(values, order=(1, 0, 1), trend="c").fit().params
    fitted = fit_coefficients([values], Order(1, 1))
    assert [fitted.mean, *fitted.ar, *fitted.ma] == pytest.approx(oracle[:3].tolist(), abs=2e-4)


def test_the_likelihood_of_the_chain_is_that_of_its_runs() -> None:
    runs = [simulated([0.6], [0.3], count, seed) for seed, count in ((1, 200), (2, 300), (3, 50))]
    parameters = [0.05, 0.6, 0.3, 1.2]

    def likelihood(values: FloatArray) -> float:
        return float(ARIMA(values, order=(1, 0, 1), trend="c").loglike(parameters))

    assert likelihood(chained(runs)) == pytest.approx(sum(map(likelihood, runs)), rel=1e-9)


def samples_of(values: dict[str, NDArray[np.float64]], volatility: dict[str, NDArray[np.float64]]) -> Dataset:
    """Give samples whose returns are these values times the volatility one bar before."""
    rows = []
    for ticker, scaled in values.items():
        returns = scaled * np.r_[1.0, volatility[ticker][:-1]]
        rows += [
            (at, ticker, returns[at + 1 - RETURNS_COUNT : at + 1], volatility[ticker][at])
            for at in range(RETURNS_COUNT - 1, len(scaled))
        ]
    rows.sort(key=lambda row: row[:2])
    count = len(rows)
    as_of_ns = np.array([row[0] for row in rows], np.int64) * DAY_NS
    batch = batch_of(np.array([row[2] for row in rows]), np.array([row[3] for row in rows]))
    tickers = np.array([row[1] for row in rows])
    return Dataset(HORIZONS, batch, tickers, as_of_ns, as_of_ns + 21 * DAY_NS, np.zeros((count, 3)))


@pytest.fixture(scope="module")
def values() -> dict[str, NDArray[np.float64]]:
    return {"AAA": simulated([0.5], [], 900, 7), "BBB": simulated([0.5], [], 700, 8)}


@pytest.fixture(scope="module")
def samples(values: dict[str, NDArray[np.float64]]) -> Dataset:
    random = np.random.default_rng(9)
    volatility = {name: 0.01 * np.exp(random.normal(0, 0.3, len(each))) for name, each in values.items()}
    return samples_of(values, volatility)


def test_returns_stand_over_the_volatility_of_the_bar_before(
    samples: Dataset, values: dict[str, NDArray[np.float64]]
) -> None:
    runs = standardised_runs(samples)
    assert len(runs) == 2
    for run, (_, scaled) in zip(runs, sorted(values.items()), strict=True):
        assert np.allclose(run, np.clip(scaled[RETURNS_COUNT:], -5, 5))


def test_a_missing_sample_breaks_the_run_and_no_return_stands_over_another_times_volatility(
    samples: Dataset, values: dict[str, NDArray[np.float64]]
) -> None:
    one = samples.rows(samples.tickers == "AAA")
    gone = np.ones(len(one), np.bool_)
    gone[100] = False
    first, second = standardised_runs(one.rows(gone))
    whole = np.clip(values["AAA"][RETURNS_COUNT:], -5, 5)
    assert np.allclose(first, whole[:99])
    assert np.allclose(second, whole[101:])


def test_coefficients_of_all_tickers_are_found(samples: Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit_arima(samples, 1, Progress(1)).coefficients
    assert (len(fitted.ar), len(fitted.ma)) == (1, 0)
    assert fitted.ar[0] == pytest.approx(0.5, abs=0.06)


def test_a_handful_of_samples_gives_the_forecast_of_no_change(samples: Dataset) -> None:
    fitted = fit_arima(samples.rows(slice(0, 20)), 1, Progress(1))
    assert fitted.coefficients == ArimaCoefficients(ar=[], ma=[], mean=0.0)
