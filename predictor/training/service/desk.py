"""Where commands are answered: what can be decided at once is, and the rest waits for its training."""

import logging
import time

from predictor.training.service.carry_out import AtStep, CarryOut
from predictor.training.service.decide import Decided, Passed, Plan, ToTrain, decide, refused, wanted_set
from predictor.training.service.decision_log import DecisionLog
from predictor.training.service.figures import Figures
from predictor.training.service.model_sets import ModelSets
from predictor.training.service.next_state import FoundSet, Shape
from predictor.training.service.outside import Outside
from predictor.training.service.past import Past
from predictor.training.service.sender import Sender
from predictor.training.service.waiting import Waiting
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import say
from schemas.command_progress import Progress
from schemas.decisions import state_after
from schemas.events import CommandState, ModelAction, ModelCommand

_log = logging.getLogger(__name__)


class Desk:
    """Decides, and keeps what was decided.

    Attributes:
        decisions: All there are.
        sets: Those that can be had.
        carry_out: Makes decisions true.
        waiting: The trainings that were asked for.
        progress: Of the commands.
        shape: What a set must be made for here.
    """

    def __init__(
        self, settings: TrainingSettings, outside: Outside, sender: Sender, figures: Figures, at_step: AtStep
    ) -> None:
        self.decisions = DecisionLog()
        self.sets = ModelSets(settings.models_directory, outside.store)
        self.carry_out = CarryOut(outside, self.sets, self.decisions, sender.announce, at_step)
        self.waiting = Waiting()
        self.progress = Progress()
        self.shape = Shape(settings.interval, settings.horizons)
        self._wishes = outside.wishes
        self._figures = figures

    @property
    def past(self) -> Past:
        """Give all decisions."""
        return self.decisions.past

    def now_ns(self) -> int:
        """Give the time of a decision made now."""
        return self.decisions.next_time_ns(time.time_ns())

    def find(self, name: str | None) -> FoundSet | str | None:
        """Give a set, or say why it cannot be had; None where none is named."""
        return None if name is None else self.sets.find(name, self.past)

    def answer(self, command: ModelCommand) -> None:
        """Answer a command, or let it wait for its training."""
        if not self.waiting.has(command.id):  # else it was sent twice
            found = self.find(wanted_set(self.past, command))
            self.follow(decide(self.past, command, found, self.shape, self.now_ns()), command)

    def refuse(self, command: ModelCommand, why: str, *, failed: bool = False) -> None:
        """Answer a command with no; `failed`: it came to no answer."""
        self.follow(refused(self.past, command, why, self.shape, self.now_ns(), failed=failed), command)

    def follow(self, plan: Plan, command: ModelCommand | None) -> None:
        """Do what was planned, in answer to a command."""
        match plan:
            case Decided():
                self._decide(plan, command)
            case ToTrain(command=asked):
                why = self.waiting.offer(asked)
                if why is None:
                    self.progress.tell(asked, CommandState.QUEUED)
                else:
                    self.refuse(asked, why)
            case Passed(why=why):
                _log.debug("passed over %s: %s", "what nobody asked" if command is None else command.id, why)

    def _decide(self, decided: Decided, command: ModelCommand | None) -> None:
        event = self.carry_out.decision(decided)
        rejected = event.action is ModelAction.REJECTED
        self._wishes.decided(event)
        self._figures.count_decision(event)
        if command is not None:
            self.progress.tell(command, state_after(event), event.reason)
        say(f"{'rejected' if rejected else 'announced'} {event.model_set}: {event.reason}")
