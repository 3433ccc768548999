"""Why a command cannot be followed. Pure."""

from predictor.manifest import fits
from predictor.training.parameter_file import parameters_of, searched_through_ns
from predictor.training.service.next_state import FoundSet, Shape
from predictor.training.service.past import Past, is_machine
from schemas.decisions import MOST_SHARE
from schemas.events import CommandAction, ModelCommand, ModelRole, RetrainKind


def why_not(past: Past, command: ModelCommand, found: FoundSet | str | None, shape: Shape) -> str | None:
    """Say why a command cannot be followed; None where it can."""
    match command.action:
        case CommandAction.RETRAIN:
            return _no_training(past, command)
        case CommandAction.LOAD:
            return _no_load(past, command) or _no_use(found, shape)
        case CommandAction.UNLOAD if command.role is ModelRole.CHALLENGER:
            return _no_challenger(past, command)
        case CommandAction.UNLOAD:
            return no_leaving(past, command)
        case CommandAction.ROLLBACK:
            if (why := no_leaving(past, command)) is not None:
                return why
            nowhere = f"no set served before {past.serving} that was not rolled back itself"
            return nowhere if past.before_current() is None else _no_use(found, shape)


def _no_training(past: Past, command: ModelCommand) -> str | None:
    if is_machine(command.requested_by) and past.unloaded is not None:
        return f"{past.unloaded.decided_by} decided that no model set serves: a person must ask"
    try:
        searched_through_ns(command.evidence)
    except ValueError as error:
        return f"evidence: {error}"
    if command.kind is not RetrainKind.CHANGE:
        return "parameters: a refresh keeps the recipe: ask for a change" if command.parameters else None
    if past.serving is None:
        return "a change is compared with the set that serves, and none does: ask for a refresh"
    try:
        parameters_of(command.parameters)
    except ValueError as error:
        return f"parameters: {error}"
    return None


def _no_load(past: Past, command: ModelCommand) -> str | None:
    name = command.model_set
    if name is None:
        return "model_set: name the set to load"
    if name == past.serving:
        return f"{name} serves already"
    if is_machine(command.requested_by) and name in past.rolled_back():
        return f"{name} was rolled back: only a person may load it again"
    if command.role is ModelRole.CHALLENGER and past.serving is None:
        return "a challenger is shown beside the set that serves, and none does"
    if command.role is ModelRole.CHALLENGER and not 0 <= command.share <= MOST_SHARE:
        return f"share: {command.share} is not from 0 to {MOST_SHARE}: the set that serves must answer most tickers"
    return None


def _no_use(found: FoundSet | str | None, shape: Shape) -> str | None:
    if not isinstance(found, FoundSet):
        return found or "the set was not looked for"
    why = fits(found.manifest, interval=shape.interval, horizons=shape.horizons)
    return None if why is None else f"{found.name} does not fit: {why}"


def _no_challenger(past: Past, command: ModelCommand) -> str | None:
    if past.challenger is None:
        return "there is no challenger"
    if command.model_set not in (None, past.challenger):
        return f"{command.model_set} is not the challenger, {past.challenger} is"
    return None


def no_leaving(past: Past, command: ModelCommand) -> str | None:
    """Say why what serves cannot be unloaded or rolled back; None where it can."""
    if past.serving is None:
        return "no model set serves"
    if command.model_set is not None:
        return None if command.model_set == past.serving else f"{command.model_set} does not serve, {past.serving} does"
    placed = past.placed()
    if placed is not None and placed.command_id is None and placed.decided_at_ns > command.requested_at_ns:
        # Decisions on commands keep the order of the log; this one was made without, and after the wish.
        return f"{past.serving} came to serve after this was asked: name the set, or ask again"
    return None
