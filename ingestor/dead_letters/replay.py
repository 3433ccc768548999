"""Sends letters back into `ticks`, each once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from msgspec.structs import replace

from ingestor.dead_letters.heard import HeardReplays
from ingestor.dead_letters.letter import Letter
from ingestor.dead_letters.plan import Part, RefusedError, plan
from schemas.events import TickFrame


class Log(Protocol):
    """What was read of `ticks`."""

    def heard(self, partition: int) -> HeardReplays:
        """Give what a partition says of replays."""
        ...

    def takes(self, partition: int, offset: int) -> bool:
        """Read on to a frame of ours, and tell whether the stage takes it."""
        ...


#: Sends a frame to a partition and gives its offset.
Send = Callable[[int, TickFrame], int]


class Result(Enum):
    """What became of a letter, or would become of it."""

    REPLAYED = "replayed"
    ALREADY = "replayed already"
    REFUSED = "not replayed"


@dataclass(frozen=True)
class Told:
    """What is said of a letter."""

    letter: Letter
    result: Result
    text: str


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How letters are replayed.

    Attributes:
        force: Late and early ones too, and what came from a replay.
        again: Also what was replayed already, or may have been.
        dry_run: Send nothing.
    """

    force: bool = False
    again: bool = False
    dry_run: bool = False


class Replayer:
    """Replays letters one after the other.

    Args:
        partitions: Of `ticks`.
        clock_ns: Wall clock.
    """

    def __init__(self, log: Log, send: Send, partitions: int, clock_ns: Callable[[], int], wishes: Wishes) -> None:
        self._log = log
        self._send = send
        self._partitions = partitions
        self._clock_ns = clock_ns
        self._wishes = wishes

    def replay(self, letters: Iterable[Letter]) -> Iterator[Told]:
        """Replay each letter, and say what became of its parts."""
        for letter in letters:
            try:
                planned = plan(letter, self._partitions, self._clock_ns(), force=self._wishes.force)
            except RefusedError as error:
                yield Told(letter, Result.REFUSED, str(error))
                continue
            for problem in planned.left:
                yield Told(letter, Result.REFUSED, problem)
            for part in planned.parts:
                yield self._replay_part(letter, part)

    def _replay_part(self, letter: Letter, part: Part) -> Told:
        heard = self._log.heard(part.partition)
        reason = None if self._wishes.again else reason_against_again(letter, part, heard)
        if reason is not None:
            known = part.frame.position in heard.letters
            return Told(letter, Result.ALREADY if known else Result.REFUSED, reason)
        if self._wishes.dry_run:
            return Told(letter, Result.REPLAYED, f"would go to partition {part.partition}: {_ticks(part)}")
        return self._send_until_taken(letter, part, heard)

    def _send_until_taken(self, letter: Letter, part: Part, heard: HeardReplays) -> Told:
        """Send a part; where another replay's frame took its number, try the next one, if the part is still missing."""
        while True:
            offset = self._send(part.partition, replace(part.frame, sequence=heard.next_sequence))
            if self._log.takes(part.partition, offset):
                return Told(letter, Result.REPLAYED, f"ticks:{part.partition}:{offset}: {_ticks(part)}")
            if part.frame.position in heard.letters and not self._wishes.again:
                return Told(letter, Result.ALREADY, "another replay that runs now was faster")


def reason_against_again(letter: Letter, part: Part, heard: HeardReplays) -> str | None:
    """Say why a part is not sent because of what the log says; None: it is."""
    if part.frame.position in heard.letters:
        return f"it was sent to partition {part.partition} before; --again counts it twice"
    if not heard.tells_of(letter, part.partition):
        return (
            f"the log of partition {part.partition} does not reach back to it, so that nobody knows whether it was "
            "replayed before; --again sends it all the same"
        )
    return None


def _ticks(part: Part) -> str:
    frame = part.frame
    if len(frame.tickers) > 1:
        return f"{len(frame.tickers)} ticks"
    return f"{frame.tickers[0]} at {frame.prices[0]:g}"
