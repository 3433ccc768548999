"""Skill on permuted labels is found, and permuted labels are what they should be."""

import re
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from predictor.models.base import FloatArray
from predictor.parameters import ForestParameters
from predictor.training.audit.skill import check_skill, improvements, permuted_labels, sign_test
from predictor.training.dataset import Dataset
from predictor.training.fitting import Fit, Progress
from predictor.training.split import hold_out_split
from tests.predictor_models.examples import random_samples


@pytest.fixture(scope="module")
def fits() -> dict[str, Fit]:
    from predictor.training.forest_fit import fit_forest

    return {"forest": partial(fit_forest, parameters=ForestParameters(n_estimators=4, min_samples_leaf=20))}


def forecasts_of_who_has_seen_it_all(fit: Fit, samples: Dataset, seed: int) -> tuple[Dataset, FloatArray]:
    """Fit on the hold-out as well."""
    held_out = hold_out_split(samples).after
    return held_out, fit(samples, seed, Progress(1)).predict_targets(held_out.batch)


def test_the_products_members_have_no_skill_on_permuted_labels(samples: Dataset, fits: dict[str, Fit]) -> None:
    finding = check_skill(samples, fits, seed=1)
    assert finding.passed, finding.problem
    assert "on 20 permutations" in finding.compared


def test_a_member_that_was_fitted_on_the_hold_out_is_caught(samples: Dataset, fits: dict[str, Fit]) -> None:
    problem = check_skill(samples, fits, seed=1, forecasts=forecasts_of_who_has_seen_it_all).problem
    assert problem is not None
    assert re.match(r"forest beats a constant on (18|19|20) of 20 permutations at \d+ bars, by \d", problem)


def test_permuted_labels_are_others_of_the_same_size_and_follow_each_other_as_before() -> None:
    samples = random_samples(3, 420, 4)
    permuted = permuted_labels(samples, np.random.default_rng(5))
    scaled, other = (each.log_returns / each.units() for each in (samples, permuted))
    assert len(permuted) == len(samples)
    assert np.sort(scaled[:, 0]) == pytest.approx(np.sort(other[:, 0])), "each label is some sample's"
    assert np.mean(np.isclose(scaled, other)) < 0.3
    by_date = other.reshape(420, 4, 3)
    old = {round(float(value), 9): at for at, value in enumerate(scaled.reshape(420, 4, 3)[:, 0, 0])}
    places = [old.get(round(float(value), 9)) for value in by_date[:, 0, 0]]
    steps = [b - a for a, b in pairwise(places) if a is not None and b is not None]
    assert np.mean(np.array(steps) == 1) > 0.9, "but for the seams of the blocks, the next label follows"


def test_a_ticker_that_did_not_trade_lends_no_label() -> None:
    samples = random_samples(4, 420, 3)
    young = (samples.tickers == "T2") & (samples.as_of_ns < samples.as_of_ns[600])
    permuted = permuted_labels(samples.rows(~young), np.random.default_rng(6))
    assert 0 < len(permuted) < len(samples) - int(young.sum())
    assert np.isfinite(permuted.log_returns).all()


def test_a_constant_improves_nothing_and_the_truth_everything() -> None:
    samples = random_samples(5, 100, 2)
    assert improvements(samples, np.full((200, 3), 0.3)) == pytest.approx([0.0, 0.0, 0.0])
    assert improvements(samples, samples.targets().astype(np.float64) + 1.0) == pytest.approx([1.0, 1.0, 1.0])


def test_the_sign_test_counts_coins() -> None:
    assert sign_test(0, 20) == 1.0
    assert sign_test(20, 20) == pytest.approx(2.0**-20)
    assert sign_test(17, 20) > 0.001 > sign_test(18, 20)
