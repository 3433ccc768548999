"""What follows from a command, given all that was decided before it. Pure."""

from dataclasses import dataclass

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
from predictor.training.service.past import TRAINER, Past
from predictor.training.service.refusals import no_leaving, why_not
from schemas.events import CommandAction, ModelAction, ModelCommand, ModelEvent, ModelRole


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
    if command.action is CommandAction.ROLLBACK and no_leaving(past, command) is None:
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
    why = why_not(past, command, found, shape)
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
    failed: bool = False,
) -> Decided:
    """Answer a command with no; `failed`: it came to no answer."""
    ruling = Ruling(
        id=decision_id(command),
        action=ModelAction.REJECTED,
        decided_by=TRAINER,
        reason=why,
        now_ns=now_ns,
        command_id=command.id,
        numbers=numbers or {},
        failed=failed,
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
