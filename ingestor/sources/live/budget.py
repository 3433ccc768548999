"""Requests that a plan allows: counted on disk, so that neither a restart nor a second process sends one too many."""

import asyncio
import fcntl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ingestor.sources.live.provider import BudgetSpentError, Limits
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND, to_rfc3339
from schemas.whole_file import write_whole

_DAY_SECONDS = 86_400
_STRETCHES = {1: "second", 60: "minute", _DAY_SECONDS: "day"}
#: Whoever must wait longer for a turn gets none.
_LONGEST_WAIT_SECONDS = 60


def windows(limits: Limits) -> list[tuple[int, int]]:
    """Give how many requests may be sent in any stretch of so many nanoseconds."""
    seconds = {1: limits.per_second, 60: limits.per_minute, _DAY_SECONDS: limits.per_day}
    return [(count, length * NS_PER_SECOND) for length, count in seconds.items() if count is not None]


def turn_ns(sent_ns: Sequence[int], limits: Limits, now_ns: int) -> int:
    """Give when the next request may be sent.

    Args:
        sent_ns: When the last ones were, or will be, in order.
    """
    turns = [sent_ns[-count] + length_ns for count, length_ns in windows(limits) if len(sent_ns) >= count]
    return max([now_ns, *turns])


class Budget:
    """The requests of one provider on this machine.

    The provider's day is not ours to know, so the limit of a day holds for any 24 hours.

    Args:
        folder: Of the files of all budgets.
    """

    def __init__(
        self,
        source: str,
        limits: Limits,
        folder: Path,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self.limits = limits
        self._path = folder / f"{source}.json"
        self._clock_ns = clock_ns
        self._sleep = sleep
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StopAndSayError(f"TICKCAST_SOURCE_BUDGET_DIRECTORY: {folder}: {error.strerror}") from error

    async def take(self) -> None:
        """Wait for a turn, which counts as sent from now on.

        Raises:
            BudgetSpentError: The turn is too far away, or it cannot be counted.
        """
        with self._locked():
            now_ns = self._clock_ns()
            sent_ns = self._sent(now_ns)
            at_ns = turn_ns(sent_ns, self.limits, now_ns)
            if at_ns - now_ns > _LONGEST_WAIT_SECONDS * NS_PER_SECOND:
                raise BudgetSpentError(f"{self._source}: the plan allows no further request before {to_rfc3339(at_ns)}")
            write_whole(self._path, msgspec.json.encode([*sent_ns, at_ns]))
        if at_ns > now_ns:
            await self._sleep((at_ns - now_ns) / NS_PER_SECOND)

    def left(self) -> dict[str, int]:
        """Give how many requests each limit allows now, by the stretch of time that it is for.

        Raises:
            BudgetSpentError: They cannot be counted.
        """
        now_ns = self._clock_ns()
        with self._locked():
            sent_ns = self._sent(now_ns)
        return {
            _STRETCHES[length_ns // NS_PER_SECOND]: max(0, count - sum(at_ns > now_ns - length_ns for at_ns in sent_ns))
            for count, length_ns in windows(self.limits)
        }

    def left_today(self, until_ns: int | None = None) -> int | None:
        """Give how many requests the limit of a day allows now, or from now until a time; None: any number."""
        if self.limits.per_day is None:
            return None
        now_ns = self._clock_ns()
        since_ns = (now_ns if until_ns is None else until_ns) - _DAY_SECONDS * NS_PER_SECOND
        with suppress(BudgetSpentError), self._locked():
            return max(0, self.limits.per_day - sum(sent_ns > since_ns for sent_ns in self._sent(now_ns)))
        return 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:  # a full disk may have room again
            raise BudgetSpentError(f"{self._path}: {error.strerror}: what cannot be counted is not sent") from error

    def _sent(self, now_ns: int) -> list[int]:
        """Give the times that any limit still looks at.

        Raises:
            StopAndSayError: The file is not ours: sending on would be a guess.
        """
        longest_ns = max((length_ns for _, length_ns in windows(self.limits)), default=0)
        try:
            sent_ns = msgspec.json.decode(self._path.read_bytes(), type=list[int])
        except FileNotFoundError:
            return []
        except msgspec.DecodeError as error:
            raise StopAndSayError(f"{self._path}: not a list of times ({error}): delete it to count anew") from error
        return [time_ns for time_ns in sent_ns if time_ns > now_ns - longest_ns]
