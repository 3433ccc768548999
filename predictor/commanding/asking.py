"""Ask the trainer for something, and wait for what becomes of it."""

from collections.abc import Callable
from contextlib import closing

import msgspec

from predictor.commanding.answers import Answer
from predictor.commanding.broker import Answers, send_command
from predictor.settings import PredictorSettings
from predictor.training.parameter_file import ParameterFile, search_evidence
from schemas.asking import NotDoneError, new_command_id, person
from schemas.events import CommandAction, ModelCommand, RetrainKind
from schemas.terminal import safe

#: How long the trainer may keep silent on a command, unless somebody says so.
PATIENCE_SECONDS = 60.0
#: The decision and the trainer's word on it lie in different topics, and may be read in any order.
_DECISION_AFTER_SECONDS = 2.0

#: Says a line to people.
Say = Callable[[str], None]


def retrain_command(found: ParameterFile | None, now_ns: int) -> ModelCommand:
    """Wish for a training: the same recipe on later data, or the parameters of a file."""
    return ModelCommand(
        id=new_command_id(),
        action=CommandAction.RETRAIN,
        kind=RetrainKind.REFRESH if found is None else RetrainKind.CHANGE,
        parameters={} if found is None else msgspec.to_builtins(found.parameters),
        requested_by=person(),
        requested_at_ns=now_ns,
        reason="asked on the command line",
        evidence={} if found is None else search_evidence(found),
    )


def send(settings: PredictorSettings, command: ModelCommand, say: Say) -> None:
    """Send a command, and say so.

    Raises:
        RetryError: The broker did not take it.
    """
    send_command(settings, command)
    say(_sent(command))


def _sent(command: ModelCommand) -> str:
    return f"sent {command.id}: {command.action}"


def ask(
    settings: PredictorSettings, command: ModelCommand, say: Say, patience_seconds: float = PATIENCE_SECONDS
) -> Answer:
    """Send a command, say how it goes, and give what became of it; each word of the trainer on it renews the patience.

    Raises:
        NotDoneError: It was refused, or failed. Or the trainer says nothing of it for so long, or Ctrl-C; then the
            command stays where it is.
        RetryError: The broker did not take it, or cannot be read.
    """
    with closing(Answers(settings, command.id)) as answers:
        send_command(settings, command)
        try:  # from the very word that it is sent: whoever reads that may already wait no longer
            say(_sent(command))
            answer = _final_answer(answers, say, patience_seconds)
        except KeyboardInterrupt:
            raise NotDoneError("no longer waited for; the trainer goes on, and `tickcast models list` tells") from None
    if not answer.done:
        raise NotDoneError(safe(answer.text))
    return answer


def _final_answer(answers: Answers, say: Say, patience_seconds: float) -> Answer:
    said = ""
    while (answer := answers.next(patience_seconds)) is not None:
        if answer.done is not None:
            return answer if answer.decided or not answer.done else answers.decision(_DECISION_AFTER_SECONDS) or answer
        if answer.text != said:
            said = answer.text
            say(safe(said))
    if said:
        raise NotDoneError(f"the trainer has said nothing more of it for {patience_seconds:g} s; it said: {safe(said)}")
    raise NotDoneError(
        f"no trainer answered within {patience_seconds:g} s: start one with `tickcast predictor trainer`; "
        "the command waits for it in `model-commands`"
    )
