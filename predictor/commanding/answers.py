"""What became of a command: the trainer's decision, or its word on what it is doing."""

from dataclasses import dataclass

from schemas.events import CommandProgress, ModelAction, ModelEvent, ServiceStatus

TRAINER = "trainer"
_FAILURES = frozenset({"refused", "failed"})


@dataclass(frozen=True)
class Answer:
    """What the trainer said last of a command.

    Attributes:
        done: None while it works on it; else whether what was asked for was done.
        decided: It is a decision in `models`, and nothing comes after it.
    """

    text: str
    done: bool | None = None
    decided: bool = False


def answer_in_event(event: ModelEvent, command_id: str) -> Answer | None:
    """Give what a decision says of a command; None: it is another one's."""
    if event.command_id != command_id:
        return None
    serves = event.serving or "no model set; the statistical forecaster answers"
    beside = f", {event.challenger} beside it" if event.challenger else ""
    numbers = "".join(f", {name} {number:.4g}" for name, number in event.numbers.items())
    text = f"{event.action} {event.model_set}: {event.reason or 'no reason given'}{numbers}; serving: {serves}{beside}"
    return Answer(text, done=event.action is not ModelAction.REJECTED, decided=True)


def answer_in_status(status: ServiceStatus, command_id: str) -> Answer | None:
    """Give what a status report says of a command; None: it says nothing."""
    if status.service != TRAINER:
        return None
    found = next((each for each in status.commands if each.id == command_id), None)
    return None if found is None else _answer_of(found)


def _answer_of(progress: CommandProgress) -> Answer:
    text = f"{progress.state}: {progress.message}" if progress.message else progress.state
    if progress.state in _FAILURES:
        return Answer(text, done=False)
    if progress.state == "done":
        return Answer(text, done=True)
    return Answer(f"{progress.progress:.0%} {text}")
