"""Which dead letters are meant."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingestor.dead_letters.letter import Letter

#: A stage that starts again sends the letters since its last checkpoint again: they lie near each other.
_REMEMBERED = 100_000


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What must hold of a letter; what is not given always does.

    Attributes:
        reason: What its reason begins with, in upper or lower case.
        since_ns: Written at this time or later.
    """

    reason: str | None = None
    ticker: str | None = None
    since_ns: int | None = None

    def takes(self, letter: Letter) -> bool:
        """Tell whether a letter is meant."""
        return (
            (self.since_ns is None or letter.at_ns >= self.since_ns)
            and (self.reason is None or letter.reason.lower().startswith(self.reason.lower()))
            and (self.ticker is None or self.ticker in letter.tickers)
        )


def each_once(letters: Iterable[Letter]) -> Iterator[Letter]:
    """Pass over letters that were sent again, as far as memory is bounded."""
    recent: deque[str] = deque()
    known: set[str] = set()
    for letter in letters:
        if letter.id in known:
            continue
        known.add(letter.id)
        recent.append(letter.id)
        if len(recent) > _REMEMBERED:
            known.remove(recent.popleft())
        yield letter


def named(letters: Iterable[Letter], missing: set[str]) -> Iterator[Letter]:
    """Give the letters of these ids, each once, and no longer read than until all are found.

    Args:
        missing: The ids; those that were found are taken out.
    """
    if not missing:
        return
    for letter in letters:
        if letter.id in missing:
            missing.remove(letter.id)
            yield letter
            if not missing:
                return
