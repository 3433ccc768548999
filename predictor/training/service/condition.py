"""How the trainer is, in words. Pure."""

from predictor.age import bars_between
from predictor.training.service.past import Past
from predictor.training.settings import TrainingSettings
from schemas.events import Scoreboard, ServiceState


def condition(past: Past, stale: str, trouble: str, doing: str) -> tuple[ServiceState, str]:
    """Give the state and the message.

    Args:
        stale: What `stale_words` says.
        trouble: Why there is no first set.
        doing: What a training that runs does; empty: none runs.
    """
    training = f"; training: {doing}" if doing else ""
    old = f"; it {stale}" if stale else ""
    if past.serving is None:
        state = ServiceState.DEGRADED if trouble else ServiceState.READY
        return state, f"no model set serves{f': {trouble}' if trouble else ''}{training}"
    challenger = f", {past.challenger} is shown beside it" if past.challenger else ""
    return ServiceState.READY, f"model set {past.serving} serves{challenger}{old}{training}"


def stale_words(settings: TrainingSettings, past: Past, board: Scoreboard | None) -> str:
    """Say that the serving set is past its age; empty where it is not.

    Args:
        board: The newest one of all tickers, which says how far the stream is.
    """
    most = settings.model_max_age_bars
    if past.current is None or past.serving is None or board is None or most == 0:
        return ""
    age = bars_between(past.current.train_end_ns, board.through_ns, settings.interval)
    return f"is stale: {age:,} bars since the end of its training, more than {most:,}" if age > most else ""
