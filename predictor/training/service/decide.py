"""What follows from a command, given all that was decided before it. Pure."""

from dataclasses import dataclass

from predictor.manifest import fits
from predictor.training.parameter_file import parameters_of
from predictor.training.service.next_state import (
    FoundSet,
    Ruling,
    Shape,
    challenged,
    serving,
    unchanged,
    unloaded,
    without_challenger,
)
from predictor.training.service.past import TRAINER, Past, is_machine
from schemas.events import CommandAction, ModelAction, ModelCommand, ModelEvent, ModelRole, RetrainKind


@dataclass(frozen=True)
class Passed:
    """Nothing is to be done, and nothing is said on `models`."""

    why: str


@dataclass(frozen=True)
class Decided:
    """A decision is to be announced.

    Attributes:
        brings: The set that gets a part by it: stored and registered before anything is announced.
    """

    event: ModelEvent
    brings: FoundSet | None = None


@dataclass(frozen=True)
class ToTrain:
    """A set is to be trained, and compared with the one that serves, if one does."""

    command: ModelCommand
    champion: str | None


Plan = Passed | Decided | ToTrain


def decision_id(command: ModelCommand) -> str:
    """Name the decision that answers a command, whenever it is made."""
    return f"command/{command.id}"


def wanted_set(past: Past, command: ModelCommand) -> str | None:
    """Name the set that a command would bring into service or beside it; None where it brings none."""
    if past.answer(command.id) is not None:
        return None
    if command.action is CommandAction.LOAD:
        return command.model_set
    if command.action is CommandAction.ROLLBACK and _no_leaving(past, command) is None:
        return past.before_current()
    return None


def decide(past: Past, command: ModelCommand, found: FoundSet | str | None, shape: Shape, now_ns: int) -> Plan:
    """Answer a command.

    Args:
        found: Of the set that `wanted_set` names: itself, or why it cannot be had.
        shape: What a set must be made for here.
    """
    if past.answer(command.id) is not None:
        return Passed("it was answered before")
    why = _why_not(past, command, found, shape)
    if why is not None:
        return refused(past, command, why, shape, now_ns)
    if command.action is CommandAction.RETRAIN:
        return ToTrain(command, past.serving)
    if command.action is CommandAction.UNLOAD:
        return Decided(_unload(past, command, now_ns))
    return _bring(past, command, found, now_ns) if isinstance(found, FoundSet) else Passed("there is nothing to do")


def refused(
    past: Past,
    command: ModelCommand,
    why: str,
    shape: Shape,
    now_ns: int,
    *,
    about: str | None = None,
    numbers: dict[str, float] | None = None,
) -> Decided:
    """Answer a command with no."""
    ruling = Ruling(
        id=decision_id(command),
        action=ModelAction.REJECTED,
        decided_by=TRAINER,
        reason=why,
        now_ns=now_ns,
        command_id=command.id,
        numbers=numbers or {},
    )
    return Decided(unchanged(past.current, shape, ruling, about))


def _ruling(command: ModelCommand, action: ModelAction, reason: str, now_ns: int) -> Ruling:
    return Ruling(decision_id(command), action, command.requested_by, reason, now_ns, command.id)


def _reason(command: ModelCommand, otherwise: str) -> str:
    return command.reason or otherwise


def _unload(past: Past, command: ModelCommand, now_ns: int) -> ModelEvent:
    before = _state(past)
    ruling = _ruling(command, ModelAction.UNLOADED, _reason(command, "unloaded"), now_ns)
    return without_challenger(before, ruling) if command.role is ModelRole.CHALLENGER else unloaded(before, ruling)


def _bring(past: Past, command: ModelCommand, found: FoundSet, now_ns: int) -> Decided:
    if command.action is CommandAction.ROLLBACK:
        why = _reason(command, f"rolled back to {found.name}")
        ruling = _ruling(command, ModelAction.ROLLED_BACK, why, now_ns)
        return Decided(serving(found, past.current, ruling, about=past.serving), found)
    if command.role is ModelRole.CHALLENGER:
        ruling = _ruling(command, ModelAction.CHALLENGED, _reason(command, "loaded as challenger"), now_ns)
        return Decided(challenged(found, command.share, _state(past), ruling), found)
    ruling = _ruling(command, ModelAction.LOADED, _reason(command, "loaded"), now_ns)
    return Decided(serving(found, past.current, ruling), found)


def _state(past: Past) -> ModelEvent:
    if past.current is None:
        raise AssertionError("a state was asked for where nothing was ever decided")
    return past.current


def _why_not(past: Past, command: ModelCommand, found: FoundSet | str | None, shape: Shape) -> str | None:
    """Say why a command cannot be followed; None where it can."""
    match command.action:
        case CommandAction.RETRAIN:
            return _no_training(past, command)
        case CommandAction.LOAD:
            return _no_load(past, command) or _no_use(found, shape)
        case CommandAction.UNLOAD if command.role is ModelRole.CHALLENGER:
            return _no_challenger(past, command)
        case CommandAction.UNLOAD:
            return _no_leaving(past, command)
        case CommandAction.ROLLBACK:
            if (why := _no_leaving(past, command)) is not None:
                return why
            nowhere = f"no set served before {past.serving} that was not rolled back itself"
            return nowhere if past.before_current() is None else _no_use(found, shape)


def _no_training(past: Past, command: ModelCommand) -> str | None:
    if is_machine(command.requested_by) and past.unloaded is not None:
        return f"{past.unloaded.decided_by} decided that no model set serves: a person must ask"
    if command.kind is not RetrainKind.CHANGE:
        return None
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


def _no_leaving(past: Past, command: ModelCommand) -> str | None:
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
