"""Scoreboards as the feature stage would publish them."""

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.scoring_boards import ScoringBoards
from schemas.events import HorizonScore, ModelScore, Scoreboard
from tests.predictor.forecasters import HORIZONS

_SCORE = ModelScore(count=1, mean_absolute_error=0.01, root_mean_squared_error=0.01)


def horizon_score(horizon: int = 1, **changes: Any) -> HorizonScore:
    """Give the scores of a horizon, with neither weights nor widths."""
    values: dict[str, Any] = {
        "horizon": horizon,
        "settled_dates": 1,
        "ensemble": _SCORE,
        "naive": _SCORE,
        "models": {},
        "weights": {},
        "slope": 1.0,
    }
    return HorizonScore(**values | changes)


def board(ticker: str, through_ns: int, horizons: Sequence[HorizonScore] = (), **changes: Any) -> Scoreboard:
    """Give a board whose versions name it."""
    values: dict[str, Any] = {
        "id": f"{ticker}:{through_ns}",
        "ticker": ticker,
        "interval": "1d",
        "model_set": "set-a",
        "through_ns": through_ns,
        "bar_index": 1,
        "horizons": list(horizons),
        "weights_version": f"weights-{through_ns}",
        "intervals_version": f"{ticker}-{through_ns}",
        "source_partition": 0,
        "source_offset": 1,
        "updated_at_ns": 0,
    }
    return Scoreboard(**values | changes)


def weights_board(through_ns: int, *weights: Mapping[str, float], **changes: Any) -> Scoreboard:
    """Give the board of all tickers with the weights of each horizon; one for all where only one is given."""
    each = weights if len(weights) > 1 else weights * len(HORIZONS)
    scores = [horizon_score(horizon, weights=dict(its)) for horizon, its in zip(HORIZONS, each, strict=True)]
    return board("*", through_ns, scores, **changes)


def widths_board(
    ticker: str, through_ns: int, *widths: tuple[float | None, float | None], **changes: Any
) -> Scoreboard:
    """Give a ticker's board with the widths at 95 % and 99 % of each horizon; a single pair is that of all."""
    each = widths if len(widths) > 1 else widths * len(HORIZONS)
    scores = [
        horizon_score(horizon, width_95=narrow, width_99=wide)
        for horizon, (narrow, wide) in zip(HORIZONS, each, strict=True)
    ]
    return board(ticker, through_ns, scores, **changes)


def boards(*added: Scoreboard) -> ScoringBoards:
    """Give boards that took all of these."""
    made = ScoringBoards("1d", HORIZONS)
    for each in added:
        assert made.add(each) is None
    return made
