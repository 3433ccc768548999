"""Settings of the predictor."""

import pytest

from predictor.settings import PredictorSettings
from schemas.errors import StopAndSayError
from schemas.identity import USUAL_SIGNAL_SHARE, prediction_id
from schemas.settings import load_settings


def test_the_usual_share_is_the_default_and_changes_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(PredictorSettings, _env_file=None).signal_share == USUAL_SIGNAL_SHARE
    names = ("f", "set", "prior", "holdout", ("lstm", "forest"))
    assert prediction_id(*names) == prediction_id(*names, USUAL_SIGNAL_SHARE) == "f/set/prior/holdout/forest+lstm"
    assert prediction_id(*names, 0.25) == "f/set/prior/holdout/forest+lstm/signal-0.25"


@pytest.mark.parametrize("text", ["0", "0.25", "10"])
def test_a_share_may_be_chosen(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_SIGNAL_SHARE", text)
    assert load_settings(PredictorSettings, _env_file=None).signal_share == float(text)


@pytest.mark.parametrize("text", ["-0.1", "10.1", "nan", "inf", "half"])
def test_a_share_that_cannot_be_is_refused_by_name(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_SIGNAL_SHARE", text)
    with pytest.raises(StopAndSayError, match="TICKCAST_SIGNAL_SHARE"):
        load_settings(PredictorSettings, _env_file=None)
