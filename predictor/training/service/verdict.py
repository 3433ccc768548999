"""What follows from the end of a training, and from the evidence of a challenger. Pure."""

from msgspec import Struct

from predictor.training.service.decide import Decided, Passed, Plan, ToTrain, decision_id, refused
from predictor.training.service.next_state import FoundSet, Ruling, Shape, challenged, serving, without_challenger
from predictor.training.service.past import TRAINER, Past
from predictor.training.service.refusals import why_not
from schemas.events import ModelAction, ModelCommand, ModelEvent, RetrainKind


class Attempted(Struct, frozen=True, kw_only=True):
    """How a training, or a look at a challenger's evidence, ended.

    Attributes:
        champion: The set that it was compared with; null: none served.
        promote: Null: there is not enough evidence yet.
        model_set: The set that was trained and saved, or the challenger that was judged; null: none.
        failed: It came to no answer.
    """

    champion: str | None
    promote: bool | None
    reason: str
    numbers: dict[str, float] = {}
    model_set: str | None = None
    failed: bool = False


def after_training(
    past: Past, command: ModelCommand, attempted: Attempted, found: FoundSet | str | None, shape: Shape, now_ns: int
) -> Plan:
    """Answer a command to retrain with what the training came to.

    Args:
        found: The set that was trained, or why it cannot be had.
    """
    if past.answer(command.id) is not None:
        return Passed("it was answered before")
    why = why_not(past, command, None, shape)  # what was asked when it began may have been decided otherwise since
    if why is None and attempted.champion != past.serving and not attempted.failed:
        return ToTrain(command, past.serving)  # the one that it was compared with does not serve any more
    why = why or _no_promotion(past, attempted, found)
    if why is not None or not isinstance(found, FoundSet):
        why = why or "no set was trained"
        about, numbers, failed = attempted.model_set, attempted.numbers, attempted.failed
        return refused(past, command, why, shape, now_ns, about=about, numbers=numbers, failed=failed)
    ruling = Ruling(
        id=decision_id(command),
        action=_action(past, command),
        decided_by=TRAINER,
        reason=attempted.reason,
        now_ns=now_ns,
        command_id=command.id,
        numbers=attempted.numbers,
    )
    if ruling.action is ModelAction.CHALLENGED and past.current is not None:
        return Decided(challenged(found, 0.0, past.current, ruling), found)
    return Decided(serving(found, past.current, ruling), found)


def _action(past: Past, command: ModelCommand) -> ModelAction:
    if past.serving is None:
        return ModelAction.TRAINED
    return ModelAction.CHALLENGED if command.kind is RetrainKind.CHANGE else ModelAction.PROMOTED


def _no_promotion(past: Past, attempted: Attempted, found: FoundSet | str | None) -> str | None:
    if attempted.failed or not attempted.promote:
        return attempted.reason
    if not isinstance(found, FoundSet):
        return f"{attempted.reason}, but {found or 'no set was saved'}"
    if found.name == past.serving:
        return "the training came to the set that serves: there is nothing new to learn from"
    if found.name in past.rolled_back():
        return f"{found.name} was rolled back, and is not promoted again by machine: a person may load it"
    return None


def unasked(past: Past, found: FoundSet, instead_of: str | None, action: ModelAction, reason: str, now_ns: int) -> Plan:
    """Let a set serve for which nobody asked: the first one, or one in the place of a set that is lost.

    The decision's id is made of the number of those before it, so that it is the same again after a crash.

    Args:
        instead_of: What served, by name, when the set was looked for.
    """
    if past.serving != instead_of or past.unloaded is not None:
        return Passed("another set was chosen meanwhile")
    ruling = Ruling(f"{found.name}/{action}/{len(past.decisions)}", action, TRAINER, reason, now_ns)
    return Decided(serving(found, past.current, ruling), found)


def to_be_judged(past: Past) -> ModelEvent | None:
    """Give the decision that made the challenger one, where the trainer made it; a person's own is theirs to judge."""
    since = past.challenged()
    return since if since is not None and since.decided_by == TRAINER else None


def after_shadow(past: Past, attempted: Attempted, found: FoundSet | str, now_ns: int) -> Plan:
    """Judge the challenger by its shadow: it serves from now on, or is a challenger no more.

    Args:
        found: The challenger.
    """
    since = to_be_judged(past)
    if attempted.promote is None or attempted.failed:
        return Passed(attempted.reason)
    if past.current is None or since is None or past.challenger != attempted.model_set:
        return Passed("it is no challenger any more")
    if attempted.champion != past.serving:
        return Passed("the set that it was compared with does not serve any more")
    judged, numbers = f"{since.id}/shadow", attempted.numbers
    why = _no_promotion(past, attempted, found)
    if why is not None or not isinstance(found, FoundSet):
        ruling = Ruling(judged, ModelAction.REJECTED, TRAINER, why or attempted.reason, now_ns, numbers=numbers)
        return Decided(without_challenger(past.current, ruling))
    ruling = Ruling(judged, ModelAction.PROMOTED, TRAINER, attempted.reason, now_ns, numbers=numbers)
    return Decided(serving(found, past.current, ruling), found)
