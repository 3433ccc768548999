"""Trainings that wait for the one that runs: one at a time, in the order in which they were asked for. Pure."""

from collections import deque

from predictor.training.parameter_file import SEARCHED_THROUGH
from schemas.events import ModelCommand

#: More are refused.
MOST_WAITING = 32


class Waiting:
    """The trainings that have not begun, and the one that has."""

    def __init__(self) -> None:
        self.begun: ModelCommand | None = None
        self._queue: deque[ModelCommand] = deque()

    def __len__(self) -> int:
        """Count those that have not begun."""
        return len(self._queue)

    def has(self, command_id: str) -> bool:
        """Tell whether one waits or has begun."""
        begun = () if self.begun is None else (self.begun,)
        return any(command.id == command_id for command in (*begun, *self._queue))

    def offer(self, command: ModelCommand) -> str | None:
        """Take one; say why it is not taken, or None where it is."""
        for other in self._queue:
            if _wish(other) == _wish(command):
                return f"merged with {other.id}, which asks for the same and has not begun"
        if len(self._queue) >= MOST_WAITING:
            return f"{MOST_WAITING} trainings wait already: ask again later"
        self._queue.append(command)
        return None

    def begin_next(self) -> ModelCommand | None:
        """Begin with the one whose turn it is; None where none waits."""
        self.begun = self._queue.popleft() if self._queue else None
        return self.begun

    def end(self) -> None:
        """End with the one that had begun."""
        self.begun = None

    def begin_again(self) -> None:
        """Take the one that had begun back, before all others."""
        if self.begun is not None:
            self._queue.appendleft(self.begun)
        self.begun = None


def _wish(command: ModelCommand) -> tuple[object, ...]:
    searched = command.evidence.get(SEARCHED_THROUGH)  # parameters of another search are judged on other dates
    return (command.action, command.scope, command.kind, command.parameters, searched)
