"""How the predictor is, in words and as a state."""

from collections.abc import Collection

from predictor.artifacts import ModelSet
from predictor.challenger import Challenger
from predictor.degraded import STALE_REFUSED
from predictor.serving import Serving
from schemas.events import ServiceState


def condition_of(
    serving: Serving, challenger: Challenger, failing: Collection[str], age: str | None, *, rests: bool = False
) -> tuple[ServiceState, str]:
    """Say how a predictor is that has caught up.

    Args:
        serving: Which set answers, waits, or cannot be loaded.
        challenger: Which one is shown beside it.
        failing: Members of the serving set that fail.
        age: That the set is stale, as predictions say it; None: it is not. Old models that answer in full want a
            retraining, and are no trouble of the service; those that are refused are.
        rests: The challenger is left out of some batches, for it failed or was slow not long ago.
    """
    current, waiting, unloadable = serving.current, serving.waiting, serving.unloadable
    if current is None:
        name = waiting and waiting.manifest.model_set
        why = f"model set {name} was trained on bars still to be predicted" if name else "untrained"
        return ServiceState.DEGRADED, f"{unloadable or why}: the statistical forecaster answers"
    if unloadable is not None:
        return ServiceState.DEGRADED, f"{unloadable}; keeping model set {current.manifest.model_set}"
    missing = current.refused.keys() | set(failing)
    # What is only shown is not missed.
    missed = any(each.prior_weight > 0 for each in current.manifest.members if each.name in missing)
    state = ServiceState.DEGRADED if missed or age == STALE_REFUSED else ServiceState.READY
    without = f" without {', '.join(sorted(missing))}" if missing else ""
    old = f" is {age}" if age else ""
    return state, f"model set {current.manifest.model_set}{without}{old}{_beside(current, challenger, rests)}"


def _beside(current: ModelSet, challenger: Challenger, rests: bool) -> str:
    if challenger.problem is not None:
        return f"; the challenger is left out: {challenger.problem}"
    shown = challenger.current
    if shown is None or shown.manifest.model_set == current.manifest.model_set:
        return ""
    share = f", served on {challenger.share:.0%} of the tickers" if challenger.share > 0 else ""
    slow = ", left out of some batches: see the log" if rests else ""
    return f"; beside it {shown.manifest.model_set}{share}{slow}"
