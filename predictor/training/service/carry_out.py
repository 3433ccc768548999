"""Make a decision true, step by step, so that a crash between any two of them leaves nothing half done.

Artifacts into the store, a version in the mirror, the event on `models` (this is the decision), the aliases of the
mirror, old sets away. What comes before the event is done again as it was, because the decision has the same id then;
what comes after it follows from `models`, and is put right at every start.
"""

import logging
from collections.abc import Callable
from threading import Thread

from msgspec import structs

from predictor.training.service.decide import Decided
from predictor.training.service.decision_log import DecisionLog
from predictor.training.service.model_sets import ModelSets
from predictor.training.service.next_state import FoundSet
from predictor.training.service.outside import Outside
from predictor.training.service.past import Past
from schemas.errors import RetryError
from schemas.events import ModelCommand, ModelEvent
from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)

#: Sets that are kept, those that have a part included.
SETS_KEPT = 5
#: The steps, in order.
STEPS = ("store", "register", "announce", "alias", "prune", "done")

#: Sends an event to `models`, and waits until the broker has it.
Announce = Callable[[ModelEvent], None]
#: Told the name of each step before it begins; tests end the process there.
AtStep = Callable[[str], None]


class CarryOut:
    """Carries decisions out."""

    def __init__(
        self, outside: Outside, sets: ModelSets, decisions: DecisionLog, announce: Announce, at_step: AtStep
    ) -> None:
        self._outside = outside
        self._sets = sets
        self._decisions = decisions
        self._announce = announce
        self._at_step = at_step

    def decision(self, decided: Decided) -> ModelEvent:
        """Carry a decision out, and give it as it was announced.

        Raises:
            RetryError: The store or the broker did not take something; nothing was decided then.
        """
        event, brings = decided.event, decided.brings
        if brings is not None:
            self._at_step("store")
            event = _with_digest(event, brings, self._put(brings))
            self._at_step("register")
            self._register(brings, self._decisions.past.with_decision(event))
        self._at_step("announce")
        self._announce(event)
        self._decisions.said(event)
        _log.info("decided: %s %s: %s", event.model_set, event.action, event.reason, extra=_decision(event))
        self._at_step("alias")
        self._set_aliases()
        self._at_step("prune")
        self._prune()
        self._at_step("done")
        self.tell(event)
        return event

    def put_right(self) -> None:
        """Let the mirror say what `models` says: versions of the sets that have a part, then their aliases."""
        past = self._decisions.past
        for name in (past.serving, past.challenger):
            found = None if name is None else self._sets.find(name, past)
            if isinstance(found, FoundSet):
                self._register(found, past)
        self._set_aliases()

    def tell(self, said: ModelEvent | ModelCommand) -> None:
        """Tell the webhook; nobody waits for it."""
        Thread(target=self._outside.tell, args=(said,), name="webhook", daemon=True).start()

    def _put(self, brought: FoundSet) -> str:
        try:
            return self._outside.store.put(brought.folder)
        except Exception as error:  # whatever the store's client raises: nothing is decided, begin again
            raise RetryError(f"the artifact store did not take model set {brought.name}: {error}") from error

    def _register(self, found: FoundSet, past: Past) -> None:
        """Have a version of a set under the decision that first gave it a part."""
        decision = past.first_decision_on(found.name)
        if decision is not None:
            self._outside.mirror.register(found.manifest, found.folder, decision)

    def _set_aliases(self) -> None:
        past = self._decisions.past
        if past.current is not None:
            self._outside.mirror.set_aliases(past.serving, past.challenger)

    def _prune(self) -> None:
        """Delete old sets. What no decision ever spoke of is a person's, or a training's that just ended: it stays."""
        past = self._decisions.past
        unspoken = [name for name in self._sets.on_disk() if not past.spoke_of(name)]
        try:
            self._outside.store.prune([*past.last_sets(SETS_KEPT), *unspoken])
        except Exception as error:  # a disk or a store that does not answer: the next decision tries again
            _log.warning("old model sets were not deleted: %s", error)


def _decision(event: ModelEvent) -> dict[str, object]:
    return about(
        LogEvent.DECISION,
        model_set=event.model_set,
        action=event.action,
        serving=event.serving,
        challenger=event.challenger,
        decided_by=event.decided_by,
        command=event.command_id,
        failed=event.failed,
    )


def _with_digest(event: ModelEvent, brought: FoundSet, digest: str) -> ModelEvent:
    """Say in an event where the store has the set that it brings."""
    if event.serving == brought.name:
        event = structs.replace(event, manifest_sha256=digest)
    if event.challenger == brought.name:
        event = structs.replace(event, challenger_sha256=digest)
    return event
