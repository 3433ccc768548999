"""Ask the challenger what the set that serves was asked, within a budget of time; nothing it does harms an answer."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from predictor.artifacts import ModelSet
from predictor.background import in_background
from predictor.budget import Budget
from predictor.failure_log import FailureLog
from predictor.members import by_members
from predictor.predict import Predicted
from predictor.question import Question
from predictor.shadow import paired
from schemas.events import Prediction
from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)
#: At the end; what a model's library does in a thread while the interpreter goes away is not to be seen.
_CLOSE_SECONDS = 1.0

#: The predictions with the other set's beside them, and why members of the challenger failed.
_Shown = tuple[list[Prediction], dict[str, str]]


class Beside:
    """The challenger's turn in each batch.

    It answers after the set that serves, from the same arrays, in a thread of its own. Its members keep their prior
    weights, for boards speak of the other set's; the intervals follow the ticker's widths as those of any set do. Where
    it fails, or a member that is weighed does, nothing is shown. Where it takes longer than its budget, nobody waits,
    what it says of this batch is dropped, and it rests for the next ones, at least until it has ended.
    """

    def __init__(self, budget_seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._budget_seconds = budget_seconds
        self._clock = clock
        self._asked: str | None = None
        self._running: Future[_Shown] | None = None
        self._budget = Budget(budget_seconds)
        self._failures = FailureLog("the challenger's ")

    @property
    def rests(self) -> bool:
        """Tell whether the challenger is left out now and then, for it failed or was slow not long ago."""
        return self._budget.resting

    def close(self) -> None:
        """Wait a little for a challenger that is still at work."""
        if self._running is not None:
            wait([self._running], timeout=_CLOSE_SECONDS)

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
            self._asked, self._budget, self._running = name, Budget(self._budget_seconds), None
        if self._is_late() or not self._budget.takes_part():
            return predicted.predictions
        shown = self._in_time(lambda: _shown(question, predicted, challenger, share), name)
        if shown is None:
            return predicted.predictions
        predictions, failures = shown
        self._failures.say(failures)
        return predictions

    def _is_late(self) -> bool:
        return self._running is not None and not self._running.done()

    def _in_time(self, ask: Callable[[], _Shown], name: str) -> _Shown | None:
        was_well, began = not self._budget.resting, self._clock()
        self._running = running = in_background(ask)
        wait([running], timeout=self._budget_seconds)
        problem = self._problem_of(running, began)
        if problem is not None and was_well:
            said = about(LogEvent.FALLBACK, of="challenger", began=True, reason=problem)
            _log.warning("challenger %s is left out for a while: %s", name, problem, extra=said)
        elif not (was_well or self._budget.resting):
            said = about(LogEvent.FALLBACK, of="challenger", began=False)
            _log.info("challenger %s answers within its time again", name, extra=said)
        return running.result() if problem is None else None

    def _problem_of(self, running: "Future[_Shown]", began: float) -> str | None:
        slow = f"it took more than {1_000 * self._budget_seconds:.0f} ms"
        if not running.done():
            self._budget.rest()
            return slow
        error = running.exception()
        if error is not None:  # whatever a model's library raises: the challenger alone is dropped
            self._budget.rest()
            return f"{type(error).__name__}: {error}"
        return None if self._budget.took(self._clock() - began) else slow


def _shown(question: Question, predicted: Predicted, challenger: ModelSet, share: float) -> _Shown:
    """Ask the challenger; in its thread, so that all that is read here is changed by nobody.

    It is judged under its name: where a member that is weighed is missing, it was not the set that spoke.
    """
    said = by_members(question, challenger, keep_priors=True)
    weighed = {member.name for member in challenger.manifest.members if member.prior_weight > 0}
    both = {
        place: its
        for place, its in said.made.items()
        if place in predicted.by_members and weighed <= {model.name for model in its.models}
    }
    return paired(predicted.predictions, both, share), said.failures
