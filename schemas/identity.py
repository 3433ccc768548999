"""Deterministic ids: one id, one content."""

from collections.abc import Iterable
from functools import lru_cache

from schemas.times import Interval, to_rfc3339

#: Of a horizon's volatility: the predicted return that passes it is a signal. Another share makes other predictions.
USUAL_SIGNAL_SHARE = 0.5


@lru_cache(maxsize=4_096)
def _start_text(start_ns: int) -> str:
    return to_rfc3339(start_ns)


def bar_id(ticker: str, interval: Interval, start_ns: int, *, partial: bool = False) -> str:
    """Name a bar, like `AAPL:1d:2010-01-04T00:00:00Z`."""
    name = f"{ticker}:{interval}:{_start_text(start_ns)}"
    return f"{name}:partial" if partial else name


def final_feature_id(ticker: str, interval: Interval, start_ns: int) -> str:
    """Name the final feature event of a bar."""
    return f"{ticker}:{interval}:{_start_text(start_ns)}:final"


def provisional_feature_id(ticker: str, interval: Interval, start_ns: int, partition: int, offset: int) -> str:
    """Name a provisional feature event by its place in `ticks`."""
    return f"{ticker}:{interval}:{_start_text(start_ns)}:{partition}.{offset}"


def prediction_id(
    feature_id: str,
    model_set: str,
    weights_version: str,
    intervals_version: str,
    members: Iterable[str],
    signal_share: float = USUAL_SIGNAL_SHARE,
    *,
    stale: bool = False,
) -> str:
    """Name a prediction by all that decides its content."""
    name = f"{feature_id}/{model_set}/{weights_version}/{intervals_version}/{'+'.join(sorted(members))}"
    if signal_share != USUAL_SIGNAL_SHARE:
        name = f"{name}/signal-{signal_share!r}"
    return f"{name}/stale" if stale else name


def shadowed_id(prediction_id: str, model_set: str, weights_version: str, members: Iterable[str]) -> str:
    """Name a prediction that shows another set beside it, by that set too: what it says is content.

    The version of the intervals is that of the prediction itself.
    """
    return f"{prediction_id}/shadow/{model_set}/{weights_version}/{'+'.join(sorted(members))}"


def outcome_id(ticker: str, interval: Interval, start_ns: int, horizon: int) -> str:
    """Name the outcome of a bar's prediction at one horizon."""
    return f"{ticker}:{interval}:{_start_text(start_ns)}:h{horizon}"


def forecast_outcome_id(ticker: str, interval: Interval, start_ns: int, horizon: int, content: str) -> str:
    """Name the outcome of a forecast from a caller's own prices, by a digest of what was said.

    A bar may have many, and a caller who uses a request's id twice must not give one name to two contents.
    """
    return f"{outcome_id(ticker, interval, start_ns, horizon)}:forecast/{content}"


def scoreboard_id(ticker: str, interval: Interval, through_ns: int, content: str) -> str:
    """Name a scoreboard (`*` for all tickers) by how far it reaches and by a digest of its content.

    At one time several may be made, as the outcomes of that time come in one after another.
    """
    return f"{ticker}:{interval}:{_start_text(through_ns)}:scores/{content}"
