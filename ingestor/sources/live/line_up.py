"""Which of a live source's providers plays: states and events, no I/O, the time comes in."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.times import NS_PER_SECOND

#: Why a provider no longer plays: its stream broke, fell silent, was refused, or a better one is back.
Reason = Literal["away", "mute", "refused", "return"]

#: While nobody plays, so long after one provider the next is tried, too, though the first has not failed yet.
_STAGGER_NS = 2 * NS_PER_SECOND
#: After streams were ended on purpose the others wait longer: one opened anew may have to wait for its turn.
_ANEW_NS = 10 * NS_PER_SECOND
#: A connection that lasted so long was a good one: it is made again before another provider takes over.
_STEADY_NS = 10 * NS_PER_SECOND
#: Who fails sooner after its return than so many times the time it had to prove itself must prove itself twice as long.
_SOON = 10
_LONGEST_PROOF_NS = 3_600 * NS_PER_SECOND


class HandOver(NamedTuple):
    """A provider takes over from another one."""

    before: int
    after: int
    reason: Reason


@dataclass
class _Standing:
    """What is known of one provider.

    Attributes:
        opened_ns: When its present connection was made; None: there is none.
        heard_ns: When that was heard first; None: it has not been.
        proof_ns: It must be heard for so long before it comes back.
        took_over_ns: When it took over from another one.
    """

    proof_ns: int
    opened_ns: int | None = None
    heard_ns: int | None = None
    refused: bool = False
    took_over_ns: int | None = None

    def has_proved_itself(self, now_ns: int) -> bool:
        return self.heard_ns is not None and now_ns - self.heard_ns >= self.proof_ns


class LineUp:
    """Providers by number, the preferred one first; none plays at first.

    Who plays goes on until its stream ends. Then it is tried once more where it had been steady, after it the others in
    order, each as soon as all before it have failed or have had their time. A better one than who plays is opened
    beside it, and comes back once it has proved itself.

    Args:
        count: How many there are.
        return_seconds: So long a better one must be heard before it comes back; twice as long each time that it fails
            soon after.
    """

    def __init__(self, count: int, return_seconds: float, now_ns: int) -> None:
        self._proof_ns = int(return_seconds * NS_PER_SECOND)
        self._all = [_Standing(self._proof_ns) for _ in range(count)]
        self.playing: int | None = None
        self._last: int | None = None
        self._reason: Reason = "away"
        self._vacant_ns = now_ns
        self._order = list(range(count))
        self._failed: set[int] = set()

    @property
    def all_refused(self) -> bool:
        """Tell whether every one was refused when it was tried last."""
        return all(standing.refused for standing in self._all)

    def opened(self, number: int, now_ns: int) -> None:
        """Note that a provider is connected."""
        standing = self._all[number]
        standing.opened_ns, standing.heard_ns, standing.refused = now_ns, None, False

    def heard(self, number: int, now_ns: int) -> None:
        """Note that ticks came from a provider."""
        if self._all[number].heard_ns is None:
            self._all[number].heard_ns = now_ns

    def ended(self, number: int, reason: Reason, now_ns: int) -> None:
        """Note that a provider's stream ended, or that it could not be opened."""
        standing = self._all[number]
        steady = standing.opened_ns is not None and now_ns - standing.opened_ns >= _STEADY_NS
        standing.opened_ns = standing.heard_ns = None
        standing.refused = reason == "refused"
        if number != self.playing:
            self._failed.add(number)
            return
        others = [other for other in range(len(self._all)) if other != number]
        self._order = [number, *others] if steady and reason == "away" else [*others, number]
        self._failed = set()
        self._vacant_ns, self._reason, self.playing = now_ns, reason, None

    def left(self, number: int) -> None:
        """Note that a provider is not wanted any more, and was left alone."""
        standing = self._all[number]
        standing.opened_ns, standing.heard_ns, standing.refused = None, None, False

    def drop(self, now_ns: int) -> None:
        """Note that all streams were ended on purpose; who played last is opened first."""
        for number in range(len(self._all)):
            self.left(number)
        first = 0 if self._last is None else self._last
        self._order = [first, *(number for number in range(len(self._all)) if number != first)]
        self._failed = set()
        self._vacant_ns, self._reason, self.playing = now_ns + _ANEW_NS, "away", None

    def wanted(self, now_ns: int) -> set[int]:
        """Give whose streams should be open, or tried."""
        if self.playing is not None:
            return set(range(self.playing + 1))
        wanted = set()
        for place, number in enumerate(self._order):
            if self._failed.issuperset(self._order[:place]) or now_ns - self._vacant_ns >= place * _STAGGER_NS:
                wanted.add(number)
        return wanted

    def due(self, now_ns: int) -> int | None:
        """Give who should play now; None: nobody can."""
        if self.playing is None:
            return next((number for number in self._order if self._all[number].opened_ns is not None), None)
        better = (number for number in range(self.playing) if self._all[number].has_proved_itself(now_ns))
        return next(better, self.playing)

    def play(self, number: int, now_ns: int) -> HandOver | None:
        """Let a provider play that is connected; None: it is who played last."""
        reason = self._reason if self.playing is None else "return"
        before, self._last, self.playing = self._last, number, number
        if before is None or before == number:
            return None
        if reason != "return":
            self._judge(self._all[before], now_ns)
        self._all[before].took_over_ns = None
        self._all[number].took_over_ns = now_ns
        return HandOver(before, number, reason)

    def _judge(self, failed: _Standing, now_ns: int) -> None:
        """Set how long a provider that failed must prove itself."""
        took_ns = failed.took_over_ns
        if took_ns is not None and now_ns - took_ns < _SOON * failed.proof_ns:
            failed.proof_ns = min(2 * failed.proof_ns, max(_LONGEST_PROOF_NS, self._proof_ns))
        else:
            failed.proof_ns = self._proof_ns
