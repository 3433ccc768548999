"""All decisions: those that were read from `models`, and our own that we have not read back yet. No I/O."""

from predictor.training.service.past import Past
from schemas.decisions import Decisions
from schemas.events import ModelEvent


class DecisionLog:
    """What `models` holds, as far as we know."""

    def __init__(self) -> None:
        self._read = Decisions(remembered=None)
        self._read_ids: set[str] = set()
        self._said: dict[str, ModelEvent] = {}
        self.past = Past()

    def read(self, partition: int, event: ModelEvent) -> bool:
        """Take a decision from the topic; tell whether it is news: an other writer's."""
        if event.id in self._read_ids:
            return False
        self._read_ids.add(event.id)
        self._read.add(partition, event)
        news = self._said.pop(event.id, None) is None
        if news:
            self.past = Past((*reversed(list(self._read.newest_first())), *self._said.values()))
        return news

    def said(self, event: ModelEvent) -> None:
        """Take one of our own that the broker has."""
        if event.id not in self._read_ids:
            self._said[event.id] = event
            self.past = self.past.with_decision(event)

    def next_time_ns(self, now_ns: int) -> int:
        """Give the time of a decision made now: later than all, so that it holds wherever the clocks of others were."""
        return max([now_ns, *(event.decided_at_ns + 1 for event in self.past.decisions[-1:])])
