"""One rule for which decision on models holds, for all who read `models`. No I/O."""

import heapq
from collections import deque
from collections.abc import Iterator

from schemas.events.models import ModelAction, ModelEvent
from schemas.events.status import CommandState

#: Decisions that are remembered of each partition by those who only ask what holds.
REMEMBERED = 32

#: The largest share of a challenger: the set that answers most tickers counts as the one that serves, in `scores`.
MOST_SHARE = 0.5


class Decisions:
    """The newest decisions on models, in the order in which they hold.

    Within a partition the order of the log decides, whatever the clocks of those who decided say. `models` has one
    partition, but on the embedded broker it has four: between partitions the time of the decision decides, then the
    id. So it does not matter which partition was read first.
    """

    def __init__(self, remembered: int | None = REMEMBERED) -> None:
        """Make it empty.

        Args:
            remembered: Decisions that are kept of each partition; None keeps all, for who must know what was ever said.
        """
        self._remembered = remembered
        self._by_partition: dict[int, deque[ModelEvent]] = {}

    def add(self, partition: int, event: ModelEvent) -> None:
        """Take the next decision of a partition."""
        self._by_partition.setdefault(partition, deque(maxlen=self._remembered)).appendleft(event)

    def newest_first(self) -> Iterator[ModelEvent]:
        """Give the decision that holds, then the one that held before it, and so on."""
        return heapq.merge(
            *self._by_partition.values(), key=lambda event: (event.decided_at_ns, event.id), reverse=True
        )

    def newest(self) -> ModelEvent | None:
        """Give the decision that holds; None where there is none."""
        return next(self.newest_first(), None)


def state_after(event: ModelEvent) -> CommandState:
    """Give the state of the command that a decision answers."""
    if event.action is not ModelAction.REJECTED:
        return CommandState.DONE
    return CommandState.FAILED if event.failed else CommandState.REFUSED
