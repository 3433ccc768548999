"""The exported models predict what the fitted ones do, the same for a row in any batch."""

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from predictor.artifacts import LoadedMember, ModelSet
from predictor.ensemble import ask_members, combine
from predictor.models import load_forecaster
from predictor.models.base import Batch, Forecast, Forecaster, scales
from predictor.training.dataset import Dataset
from predictor.training.fitting import ExportDiffersError, FittedModel, checked_export
from tests.predictor_models.examples import HORIZONS, random_batch
from tests.training import Trained

pytestmark = pytest.mark.xdist_group("fitted")

MEMBERS = ("forest", "lstm", "xgboost", "arima", "naive", "statistical")
#: Those that see returns only in units of volatility.
SCALE_FREE = ("forest", "lstm", "xgboost")


def part(batch: Batch, rows: slice) -> Batch:
    return Batch(*(getattr(batch, field.name)[rows] for field in fields(Batch)))


def member_of(model_set: ModelSet, name: str) -> LoadedMember:
    return next(member for member in model_set.members if member.forecaster.name == name)


@pytest.mark.parametrize("name", MEMBERS)
def test_an_export_equals_its_original_to_a_hundred_thousandth(
    name: str, fitted: dict[str, FittedModel], later: Dataset
) -> None:
    served = load_forecaster(name, fitted[name].export(), HORIZONS, (1.0, 1.0, 1.0), "test")
    for batch in (later.batch, random_batch(1, 500), part(random_batch(2, 3), slice(0, 1))):
        targets = served.predict(batch).log_returns / scales(batch.volatility, HORIZONS)
        assert np.abs(targets - fitted[name].predict_targets(batch)).max() <= 1e-5


@pytest.mark.parametrize("name", MEMBERS)
def test_an_export_that_differs_is_refused(
    name: str, fitted: dict[str, FittedModel], later: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(fitted[name]).predict_targets
    monkeypatch.setattr(type(fitted[name]), "predict_targets", lambda self, batch: original(self, batch) + 2e-5)
    with pytest.raises(ExportDiffersError, match=f"the exported {name} differs"):
        checked_export(fitted[name], later)
    monkeypatch.setattr(type(fitted[name]), "predict_targets", lambda self, batch: original(self, batch) * np.nan)
    with pytest.raises(ExportDiffersError):
        checked_export(fitted[name], later)


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("rows", [1, 7, 100, 101, 333])
def test_a_row_gets_the_same_numbers_in_any_batch(name: str, rows: int, model_set: ModelSet) -> None:
    forecaster = member_of(model_set, name).forecaster
    batch = random_batch(3, 400)
    whole = forecaster.predict(batch)
    for start in range(0, 400, rows) if rows > 50 else range(0, 60, rows):
        alone = forecaster.predict(part(batch, slice(start, start + rows)))
        assert np.array_equal(alone.log_returns, whole.log_returns[start : start + rows])
        assert np.array_equal(alone.spreads, whole.spreads[start : start + rows])


@pytest.mark.parametrize("name", SCALE_FREE)
def test_returns_and_spreads_scale_with_volatility_and_root_horizon(name: str, model_set: ModelSet) -> None:
    member = member_of(model_set, name)
    batch = random_batch(4, 20)
    twice = replace(batch, volatility=batch.volatility * 2)
    once_said, twice_said = member.forecaster.predict(batch), member.forecaster.predict(twice)
    assert np.allclose(twice_said.log_returns, 2 * once_said.log_returns, rtol=1e-12)
    scale = next(each.spread_scale for each in model_set.manifest.members if each.name == name)
    expected = np.outer(batch.volatility, np.sqrt(HORIZONS)) * scale
    assert np.allclose(once_said.spreads, expected, rtol=1e-12)


@pytest.mark.parametrize("name", MEMBERS)
def test_an_empty_batch_gives_an_empty_forecast(name: str, model_set: ModelSet) -> None:
    assert member_of(model_set, name).forecaster.predict(random_batch(5, 0)).log_returns.shape == (0, 3)


@pytest.mark.parametrize("name", MEMBERS)
def test_unknown_volatility_gives_unknown_numbers_to_that_row_alone(name: str, model_set: ModelSet) -> None:
    batch = random_batch(6, 3)
    batch.volatility[1] = np.nan
    forecast = member_of(model_set, name).forecaster.predict(batch)
    assert np.isnan(forecast.log_returns[1]).all()
    assert np.isfinite(forecast.log_returns[[0, 2]]).all()


def test_a_spread_for_each_horizon_is_demanded(fitted: dict[str, FittedModel]) -> None:
    for wrong in ((1.0, 1.0), (1.0, 1.0, float("nan"))):
        with pytest.raises(ValueError, match="spread_scale"):
            load_forecaster("forest", fitted["forest"].export(), HORIZONS, wrong, "test")


def predicted_by(forecaster: Forecaster, samples: Dataset) -> np.ndarray:
    return np.asarray(forecaster.predict(samples.batch).log_returns)


@pytest.mark.parametrize("name", ["forest", "lstm"])
def test_predictions_differ_between_tickers_and_over_time(name: str, model_set: ModelSet, later: Dataset) -> None:
    forecaster = member_of(model_set, name).forecaster
    day = later.rows(later.as_of_ns == np.unique(later.as_of_ns)[100])
    assert len(day) == 4
    ticker = later.rows(later.tickers == "IBM")
    for samples in (day, ticker):
        said = predicted_by(forecaster, samples) / samples.units()
        for column in range(len(HORIZONS)):
            assert len(np.unique(said[:, column])) > 0.9 * min(len(samples), 100)
    assert (predicted_by(forecaster, ticker).std(axis=0) > 1e-4).all()


def test_the_ensemble_is_neither_of_its_members(model_set: ModelSet, later: Dataset) -> None:
    answers, failures = ask_members(model_set.members, later.batch, HORIZONS)
    mixed = combine(answers, np.zeros(len(later))).log_returns
    assert failures == {}
    forest, lstm = (predicted_by(member_of(model_set, name).forecaster, later) for name in ("forest", "lstm"))
    assert np.allclose(mixed, 0.4 * forest + 0.6 * lstm, atol=1e-12)
    for own in (forest, lstm):
        assert (np.abs(mixed - own) > 1e-6).mean() > 0.99


def test_members_asked_side_by_side_say_what_each_says_alone_in_their_order(model_set: ModelSet) -> None:
    large = random_batch(8, 400)
    answers, failures = ask_members(model_set.members, large, HORIZONS)
    assert [answer.name for answer in answers] == [member.forecaster.name for member in model_set.members]
    assert failures == {}
    for answer in answers:
        alone = member_of(model_set, answer.name).forecaster.predict(large)
        assert np.array_equal(answer.log_returns, alone.log_returns)
        assert np.array_equal(answer.spreads, alone.spreads)


@pytest.mark.parametrize("rows", [3, 400])
def test_a_member_that_fails_beside_others_is_left_out_with_its_reason(rows: int, model_set: ModelSet) -> None:
    class Broken:
        name, version = "broken", "1"

        def predict(self, batch: Batch) -> Forecast:
            raise ZeroDivisionError("of all things")

    first = model_set.members[0]
    members = (first, replace(first, forecaster=Broken()), *model_set.members[1:])
    answers, failures = ask_members(members, random_batch(9, rows), HORIZONS)
    assert [answer.name for answer in answers] == [member.forecaster.name for member in model_set.members]
    assert failures == {"broken": "ZeroDivisionError: of all things"}


def test_serving_imports_neither_tensorflow_nor_scikit_learn_nor_pandas(trained: Trained) -> None:
    program = f"""
import sys
from pathlib import Path
import predictor.service, predictor.training.__main__
from predictor.artifacts import load_model_set
loaded = load_model_set(Path({str(trained.folder)!r}), interval="1d", horizons=(1, 5, 21))
assert len(loaded.members) == {len(MEMBERS)}, loaded.refused
heavy = ("tensorflow", "keras", "sklearn", "pandas", "skl2onnx", "tf2onnx", "onnx", "joblib", "faust")
heavy += ("scipy", "statsmodels", "xgboost")
print([name for name in heavy if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
