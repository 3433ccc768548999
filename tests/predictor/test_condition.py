"""What the predictor says of itself."""

from typing import Any

import pytest

from predictor.challenger import Challenger
from predictor.condition import condition_of
from predictor.degraded import STALE, STALE_REFUSED
from predictor.serving import Serving
from predictor.settings import PredictorSettings
from schemas.events import ServiceState
from tests.predictor.forecasters import Momentum, a_set

SETTINGS = PredictorSettings(_env_file=None)
CHAMPION = a_set([Momentum("forest", 0.5), Momentum("naive", 0.0)], [1.0, 0.0])
CHALLENGER = a_set([Momentum("forest", 0.7)], [1.0], name="set-b")


def word(*, failing: tuple[str, ...] = (), age: str | None = None, rests: bool = False, **challenger: Any) -> Any:
    serving, other = Serving(SETTINGS, lambda _: CHAMPION), Challenger(SETTINGS, lambda _: CHALLENGER)
    serving.current = CHAMPION
    for name, value in challenger.items():
        setattr(other, name, value)
    return condition_of(serving, other, failing, age, rests=rests)


@pytest.mark.parametrize(
    ("told", "state", "says"),
    [
        ({}, ServiceState.READY, ""),
        ({"failing": ("naive",)}, ServiceState.READY, " without naive"),
        ({"failing": ("forest",)}, ServiceState.DEGRADED, " without forest"),
        ({"age": STALE}, ServiceState.READY, " is stale: retrain_recommended"),
        ({"age": STALE_REFUSED}, ServiceState.DEGRADED, " is stale: refused, retrain_recommended"),
        ({"current": CHALLENGER}, ServiceState.READY, "; beside it set-b"),
        ({"current": CHAMPION}, ServiceState.READY, ""),
        (
            {"current": CHALLENGER, "share": 0.25, "rests": True},
            ServiceState.READY,
            "; beside it set-b, served on 25% of the tickers, left out of some batches: see the log",
        ),
        ({"problem": "it is not there"}, ServiceState.READY, "; the challenger is left out: it is not there"),
    ],
)
def test_a_word_for_each_condition(told: dict[str, Any], state: ServiceState, says: str) -> None:
    assert word(**told) == (state, f"model set set-a{says}")
