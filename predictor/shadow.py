"""Two sets that have answered the same events: which one is served, and the other one shown beside it."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import structs

from predictor.intervals import NORMAL_95
from schemas.events import ENSEMBLE, HorizonPrediction, MemberHorizon, MemberPrediction, Prediction
from schemas.identity import shadowed_id

_REMEMBERED_TICKERS = 65_536


@lru_cache(maxsize=_REMEMBERED_TICKERS)
def place_of(ticker: str, challenger: str) -> float:
    """Give a ticker's place among all, from 0 to 1: the same always and everywhere, another for each challenger."""
    digest = hashlib.blake2b(f"{ticker}/{challenger}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def paired(served: Sequence[Prediction], by_challenger: Mapping[int, Prediction], share: float) -> list[Prediction]:
    """Show the challenger's predictions beside the served ones, or change places where a ticker is in its share.

    An event that the challenger was trained on is answered by the other set, or nothing of it could ever be scored.

    Args:
        served: By the set that serves.
        by_challenger: By the place of the served one: those that both sets' members have answered.
        share: Of the tickers.
    """
    found = list(served)
    for place, its in by_challenger.items():
        ours = served[place]
        taken = not its.in_sample and place_of(ours.ticker, its.model_set) < share
        found[place] = beside(its, ours) if taken else beside(ours, its)
    return found


def beside(served: Prediction, shown: Prediction) -> Prediction:
    """Give a prediction with another set's of the same event beside it.

    One that is in the sample is no evidence, and is left out.
    """
    if shown.in_sample:
        return served
    members = [model.name for model in shown.models]
    return structs.replace(
        served,
        id=shadowed_id(served.id, shown.model_set, shown.weights_version, members),
        shadow=[_ensemble(shown), *shown.models],
        shadow_model_set=shown.model_set,
    )


def _ensemble(shown: Prediction) -> MemberPrediction:
    horizons = [_horizon(each) for each in shown.horizons]
    return MemberPrediction(name=ENSEMBLE, version=shown.model_set, horizons=horizons)


def _horizon(said: HorizonPrediction) -> MemberHorizon:
    """Say a horizon as a member would; its spread is that of a normal error with the same interval at 95 %."""
    bounds = said.interval_95
    spread = None if bounds is None else math.log(bounds.high / bounds.low) / 2 / NORMAL_95
    return MemberHorizon(
        horizon=said.horizon, log_return=said.log_return, spread=spread, confidence=said.confidence, weight=1.0
    )
