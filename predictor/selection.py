"""Which of the events that one poll brought are worth a prediction."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from schemas.events import Features

#: Rises strictly along the log of one ticker: one frame can close two bars and open a third.
Place = tuple[int, int, bool]


@dataclass(frozen=True, slots=True)
class Received:
    """A feature event, where it lay on `features`, and its trace."""

    features: Features
    partition: int
    offset: int
    traceparent: str | None = None


def place_of(features: Features) -> Place:
    """Give an event's place in its ticker's order."""
    return features.source_offset, features.bar_index, not features.final


class Progress:
    """The highest place answered, per ticker of each partition that is ours."""

    def __init__(self) -> None:
        self._highest: dict[int, dict[str, Place]] = {}

    def select(self, received: Iterable[Received]) -> list[Received]:
        """Give every new final event and, per ticker, a new provisional one if it is the newest; in log order.

        What is not above the ticker's highest place was answered before and is passed over.
        """
        chosen: list[Received | None] = []
        provisional: dict[str, int] = {}
        for each in received:
            features, highest = each.features, self._highest.setdefault(each.partition, {})
            place = place_of(features)
            if place <= highest.get(features.ticker, (-1, -1, False)):
                continue
            highest[features.ticker] = place
            outdated = provisional.pop(features.ticker, None)
            if outdated is not None:
                chosen[outdated] = None
            if not features.final:
                provisional[features.ticker] = len(chosen)
            chosen.append(each)
        return [each for each in chosen if each is not None]

    def forget(self, partitions: Collection[int]) -> None:
        """Forget partitions that are no longer ours: another process may answer them meanwhile."""
        for partition in partitions:
            self._highest.pop(partition, None)
