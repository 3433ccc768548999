"""The members that learn nothing."""

import msgspec
import numpy as np
import pytest

from predictor.models import load_forecaster
from predictor.models.base import scales
from predictor.models.rules import NaiveForecaster, RuleFile, StatisticalMember
from predictor.models.statistical import StatisticalForecaster
from predictor.training.fitting import Progress, checked_export
from predictor.training.rule_fit import fit_rule
from tests.predictor_models.examples import HORIZONS, random_batch, random_samples

SCALES = (1.0, 1.1, 1.2)


def file_of(rule: str, rule_version: str) -> bytes:
    return msgspec.json.encode(RuleFile(rule=rule, rule_version=rule_version))


@pytest.mark.parametrize("rule", [NaiveForecaster, StatisticalMember])
def test_a_rule_is_saved_and_loaded_by_its_name(rule: type[NaiveForecaster] | type[StatisticalMember]) -> None:
    samples = random_samples(1, 40, 3)
    model = fit_rule(rule)(samples, 1, Progress(1))
    content = checked_export(model, samples)
    assert model.refit(samples).export() == content
    served = load_forecaster(model.name, content, HORIZONS, SCALES, "v")
    assert (served.name, served.version, model.file) == (rule.name, "v", f"{rule.name}.json")
    unit = scales(samples.batch.volatility, HORIZONS)
    assert np.allclose(served.predict(samples.batch).log_returns / unit, model.predict_targets(samples.batch))
    assert np.allclose(served.predict(samples.batch).spreads, unit * SCALES)


def test_no_change_is_no_change() -> None:
    assert (NaiveForecaster(file_of("naive", "1"), HORIZONS, SCALES).predict(random_batch(1, 9)).log_returns == 0).all()


def test_the_statistical_member_predicts_what_the_statistical_forecaster_does() -> None:
    batch = random_batch(2, 50)
    batch.returns[0, :-5] = np.nan
    member = StatisticalMember(file_of("statistical", StatisticalForecaster.version), HORIZONS, SCALES)
    assert np.allclose(member.predict(batch).log_returns, StatisticalForecaster(HORIZONS).predict(batch).log_returns)


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("naive", file_of("naive", "0")),
        ("naive", file_of("statistical", "1")),
        ("statistical", file_of("statistical", "1")),
        ("statistical", b"{}"),
        ("naive", b""),
    ],
)
def test_another_definition_than_the_files_is_refused(rule: str, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_forecaster(rule, content, HORIZONS, SCALES, "v")
