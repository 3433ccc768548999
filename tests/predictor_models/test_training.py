"""A whole training: what the manifest says of it is so."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from predictor.artifacts import ModelSet
from predictor.manifest import Manifest
from predictor.models.base import Batch
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.fitting import Progress
from predictor.training.history import bars_before_start
from predictor.training.importance import Input
from predictor.training.scoring import score, usual_directions
from predictor.training.split import hold_out_split
from schemas.features import MODEL_INPUT_NAMES, SEQUENCE_CHANNELS
from schemas.times import from_rfc3339
from tests.predictor_models.examples import HORIZONS
from tests.training import SMALL, Trained

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small-training")]


@pytest.fixture(scope="module")
def samples(trained: Trained) -> Dataset:
    """Give what the small training was given."""
    settings = trained.settings
    return dataset_from_bars(bars_before_start(settings), "1d", HORIZONS, settings.training_window_bars)


@pytest.fixture(scope="module")
def manifest(model_set: ModelSet) -> Manifest:
    """Give the trained set's manifest."""
    return model_set.manifest


def test_training_ends_before_what_is_played_live(manifest: Manifest, samples: Dataset) -> None:
    before_ns = from_rfc3339(str(SMALL["start"]))
    assert manifest.train_start_ns == samples.as_of_ns.min()
    assert manifest.train_end_ns == samples.label_end_ns.max() <= before_ns
    assert manifest.train_end_ns == from_rfc3339("2008-01-01"), "the end of the last trading day of 2007"
    assert manifest.samples == len(samples) == 3 * 700
    assert manifest.hold_out_start_ns == hold_out_split(samples).after.as_of_ns.min()


def test_every_forecaster_is_scored_on_every_horizon_of_the_whole_hold_out(
    manifest: Manifest, samples: Dataset
) -> None:
    held_out = hold_out_split(samples).after
    assert manifest.hold_out_dates == len(np.unique(held_out.as_of_ns))
    scored = [member.hold_out for member in manifest.members] + [manifest.hold_out, *manifest.baselines.values()]
    for scores in scored:
        assert [each.horizon for each in scores] == list(HORIZONS)
        assert {each.count for each in scores} == {len(held_out)}
    assert manifest.baselines["no_change"] == score(
        HORIZONS, np.zeros((len(held_out), 3), np.float64), held_out.log_returns
    )
    for member in manifest.members:
        assert member.hold_out != manifest.hold_out


def test_the_hold_out_scores_are_not_of_models_that_have_seen_it(model_set: ModelSet, samples: Dataset) -> None:
    """The refitted forest knows the hold-out, so it is better on it than the saved score says."""
    held_out = hold_out_split(samples).after
    forest = next(each for each in model_set.members if each.forecaster.name == "forest").forecaster
    refitted = score(HORIZONS, forest.predict(held_out.batch).log_returns, held_out.log_returns)
    saved = next(each for each in model_set.manifest.members if each.name == "forest").hold_out
    for knows, knew_not in zip(refitted, saved, strict=True):
        assert knows.root_mean_squared_error < knew_not.root_mean_squared_error


def test_what_is_calibrated_comes_from_before_the_hold_out(
    samples: Dataset, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other prices in the hold-out change scores, and nothing that is applied, but for the models themselves."""
    from predictor.training import member_fit, pipeline
    from predictor.training.recipes import Recipe

    def fit(dataset: Dataset, seed: int, progress: Progress) -> SpyingModel:
        return SpyingModel([])

    monkeypatch.setattr(pipeline, "recipes", lambda parameters: {"forest": Recipe(1.0, fit, fit)})
    monkeypatch.setattr(member_fit, "checked_export", lambda model, dataset: model.export())
    known = pipeline.train(samples, "1d", manifest.options, now_ns=1).manifest
    log_returns = samples.log_returns.copy()
    log_returns[samples.as_of_ns >= known.hold_out_start_ns] *= -3.0
    other = pipeline.train(replace(samples, log_returns=log_returns), "1d", manifest.options, now_ns=1).manifest
    assert other.hold_out != known.hold_out
    assert other.interval_quantiles == known.interval_quantiles
    assert other.slopes == known.slopes
    for one, another in zip(known.members, other.members, strict=True):
        assert one.hold_out != another.hold_out
        assert (one.calibration, one.spread_scale) == (another.calibration, another.spread_scale)


def test_the_folds_of_the_manifest_are_those_of_the_samples(manifest: Manifest, samples: Dataset) -> None:
    from predictor.training.folds import expanding_folds

    folds = expanding_folds(hold_out_split(samples).before)
    assert manifest.out_of_fold_start_ns == folds[0].after.as_of_ns.min()
    assert manifest.out_of_fold_samples == sum(len(fold.after) for fold in folds)
    assert folds[-1].after.label_end_ns.max() < manifest.hold_out_start_ns


def test_slopes_and_usual_directions_are_there_for_every_horizon(manifest: Manifest, samples: Dataset) -> None:
    assert len(manifest.slopes) == len(HORIZONS)
    assert all(0.0 <= slope <= 1.0 for slope in manifest.slopes)
    assert manifest.usual_directions == usual_directions(samples)
    assert all(quantiles.quantile_90 is not None for quantiles in manifest.interval_quantiles)


def test_every_member_says_what_its_inputs_are_worth(manifest: Manifest) -> None:
    importance = {member.name: member.feature_importance for member in manifest.members}
    assert list(importance["forest"]) == list(importance["xgboost"]) == list(MODEL_INPUT_NAMES)
    assert list(importance["lstm"]) == list(SEQUENCE_CHANNELS)
    assert list(importance["statistical"]) == ["returns"]
    assert importance["naive"] == {}
    assert any(share != 0.0 for share in importance["forest"].values())
    assert all(abs(share) < 0.5 for shares in importance.values() for share in shares.values())


def test_intervals_and_spreads_are_positive_and_ordered(manifest: Manifest) -> None:
    for quantiles in manifest.interval_quantiles:
        assert 1.0 < quantiles.quantile_95 < quantiles.quantile_99 < 20.0
    for member in manifest.members:
        assert all(0.5 < scale < 3.0 for scale in member.spread_scale)
        assert member.training_seconds > 0
    assert [member.prior_weight for member in manifest.members] == [0.4, 0.6, 0.0, 0.0, 0.0, 0.0]


class SpyingModel:
    """Remembers what it is fitted on and asked about; predicts nothing much."""

    name = "forest"
    file = "forest.onnx"
    inputs: dict[str, Input] = {}  # noqa: RUF012 - a constant

    def __init__(self, seen: list[Dataset]) -> None:
        self.seen = seen

    def predict_targets(self, batch: Batch) -> np.ndarray:
        return np.asarray(batch.model_inputs[:, :3], np.float64) * 0.01

    def refit(self, dataset: Dataset) -> "SpyingModel":
        self.seen.append(dataset)
        return self

    def export(self) -> bytes:
        return b""


def test_models_are_fitted_on_the_purged_part_first_and_on_everything_last(
    samples: Dataset, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from predictor.training import member_fit, pipeline
    from predictor.training.folds import expanding_folds
    from predictor.training.recipes import Recipe

    seen: list[Dataset] = []

    def fit(dataset: Dataset, seed: int, progress: Progress) -> SpyingModel:
        seen.append(dataset)
        return SpyingModel(seen)

    monkeypatch.setattr(pipeline, "recipes", lambda parameters: {"forest": Recipe(1.0, fit, fit)})
    monkeypatch.setattr(member_fit, "checked_export", lambda model, dataset: model.export())
    trained = pipeline.train(samples, "1d", manifest.options, now_ns=1)
    *folds, first, second = seen
    assert first.label_end_ns.max() < trained.manifest.hold_out_start_ns
    assert len(second) == len(samples)
    assert [len(each) for each in folds] == [len(fold.before) for fold in expanding_folds(first)]
    assert max(each.label_end_ns.max() for each in folds) < first.label_end_ns.max()


def forest_targets(few: Dataset, seed: int) -> np.ndarray:
    from predictor.training.forest_fit import fit_forest

    return np.asarray(fit_forest(few, seed, Progress(1)).predict_targets(few.batch))


def lstm_targets(few: Dataset, seed: int) -> np.ndarray:
    from predictor.training.lstm_fit import fit_lstm_fold

    return np.asarray(fit_lstm_fold(few, seed, Progress(1)).predict_targets(few.batch))


def xgboost_targets(few: Dataset, seed: int) -> np.ndarray:
    from predictor.training.xgboost_fit import fit_xgboost

    return np.asarray(fit_xgboost(few, seed, Progress(1)).predict_targets(few.batch))


@pytest.mark.parametrize("targets", [forest_targets, lstm_targets, xgboost_targets])
def test_the_same_seed_gives_the_same_model(targets: Callable[[Dataset, int], np.ndarray], samples: Dataset) -> None:
    few = samples.rows(slice(0, 300))
    assert np.array_equal(targets(few, 1), targets(few, 1))


def test_another_seed_gives_another_model(samples: Dataset) -> None:
    few = samples.rows(slice(0, 300))
    assert not np.array_equal(forest_targets(few, 1), forest_targets(few, 2))


def test_xgboost_stops_on_its_own_last_dates_and_is_then_fitted_on_all_of_them(samples: Dataset) -> None:
    from predictor.training import xgboost_fit

    model = xgboost_fit.fit_xgboost(samples, 1, Progress(1))
    assert 1 <= model.rounds <= xgboost_fit.MAX_ROUNDS
    alike = model.refit(samples)
    assert alike.rounds == model.rounds
    assert alike.export() == model.export()


def test_xgboost_without_enough_dates_to_stop_early_on_is_still_fitted(samples: Dataset) -> None:
    from predictor.training.xgboost_fit import UNTESTED_ROUNDS, fit_xgboost

    model = fit_xgboost(samples.rows(slice(0, 66)), 1, Progress(1))
    assert model.rounds == UNTESTED_ROUNDS


def test_an_lstm_without_enough_dates_to_stop_early_on_is_still_fitted(samples: Dataset) -> None:
    from predictor.training.lstm_fit import UNTESTED_EPOCHS, fit_lstm

    few = samples.rows(slice(0, 66))
    model = fit_lstm(few, 1, Progress(1))
    assert model.epochs == UNTESTED_EPOCHS
    assert np.isfinite(model.predict_targets(few.batch)).all()


def test_fits_of_the_lstm_share_a_network_and_nothing_that_it_has_learnt(samples: Dataset) -> None:
    from predictor.training.lstm_fit import fit_lstm_fold

    few, other = samples.rows(slice(0, 300)), samples.rows(slice(900, 1_500))
    alone = fit_lstm_fold(few, 1, Progress(1))
    before, content = alone.predict_targets(few.batch), alone.export()
    beside = fit_lstm_fold(other, 1, Progress(1))
    assert not np.array_equal(beside.predict_targets(few.batch), before)
    assert np.array_equal(alone.predict_targets(few.batch), before), "another fit has changed nothing of it"
    again = fit_lstm_fold(few, 1, Progress(1))
    assert np.array_equal(again.predict_targets(few.batch), before), "nothing of another fit is left in it"
    assert again.export() == alone.export() == content
