"""Ask the challenger what the set that serves was asked, within a budget of time; nothing it does harms an answer."""

import logging
import time
from collections.abc import Callable

from predictor.artifacts import ModelSet
from predictor.budget import Budget
from predictor.failure_log import FailureLog
from predictor.members import by_members
from predictor.predict import Predicted
from predictor.question import Question
from predictor.shadow import paired
from schemas.events import Prediction

_log = logging.getLogger(__name__)


class Beside:
    """The challenger's turn in each batch.

    It answers after the set that serves, from the same arrays. Its members keep their prior weights, for boards speak
    of the other set's; the intervals follow the ticker's widths as those of any set do. Where it fails, nothing is
    shown. Where it takes longer than its budget, what it said in this batch is shown, and it rests for the next ones.
    """

    def __init__(self, budget_seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._budget_seconds = budget_seconds
        self._clock = clock
        self._asked: str | None = None
        self._budget = Budget(budget_seconds)
        self._failures = FailureLog("the challenger's ")

    @property
    def rests(self) -> bool:
        """Tell whether the challenger is left out now and then, for it failed or was slow not long ago."""
        return self._budget.resting

    def show(
        self,
        question: Question,
        predicted: Predicted,
        serving: ModelSet | None,
        challenger: ModelSet | None,
        share: float,
    ) -> list[Prediction]:
        """Give the predictions with the other set's beside them, as far as there are any.

        Args:
            question: What was asked.
            predicted: What the serving set has said.
            serving: It.
            challenger: The set to be asked; None: no other one.
            share: Of the tickers, on which the challenger is served.
        """
        if serving is None or challenger is None or not predicted.by_members:
            return predicted.predictions
        name = challenger.manifest.model_set
        if name == serving.manifest.model_set:
            return predicted.predictions
        if name != self._asked:
            self._asked, self._budget = name, Budget(self._budget_seconds)
        if not self._budget.takes_part():
            return predicted.predictions
        return self._timed(lambda: self._paired(question, predicted, challenger, share), name) or predicted.predictions

    def _paired(self, question: Question, predicted: Predicted, challenger: ModelSet, share: float) -> list[Prediction]:
        said = by_members(question, challenger, keep_priors=True)
        self._failures.say(said.failures)
        both = {place: its for place, its in said.made.items() if place in predicted.by_members}
        return paired(predicted.predictions, both, share)

    def _timed(self, ask: Callable[[], list[Prediction]], name: str) -> list[Prediction] | None:
        was_well, began = not self._budget.resting, self._clock()
        found, problem = None, None
        try:
            found = ask()
        except Exception as error:  # whatever a model's library raises: the challenger alone is dropped
            self._budget.rest()
            problem = f"{type(error).__name__}: {error}"
        else:
            seconds = self._clock() - began
            if not self._budget.took(seconds):
                problem = f"it took {1_000 * seconds:.0f} ms, more than {1_000 * self._budget_seconds:.0f}"
        if problem is not None and was_well:
            _log.warning("challenger %s is left out for a while: %s", name, problem)
        elif not (was_well or self._budget.resting):
            _log.info("challenger %s answers within its time again", name)
        return found
