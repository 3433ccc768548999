"""What replaying a letter would send, or why it cannot be replayed. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from ingestor.dead_letters.letter import EARLY, LATE, REFUSED_BY_INGESTOR, Letter
from ingestor.dead_letters.sound import columns_problem, tick_problem
from ingestor.dead_letters.text import safe
from schemas.codec import UndecodableError, decoder
from schemas.dead_letters import REPLAY_SOURCE
from schemas.errors import TickcastError
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from schemas.topics import TICKS

_MEND = "correct it where it comes from, and send it from there"
_decode = decoder(TickFrame)


class RefusedError(TickcastError):
    """A letter that is not replayed; the text says why.

    Attributes:
        force_helps: `--force` replays it.
    """

    def __init__(self, text: str, *, force_helps: bool = False) -> None:
        super().__init__(text)
        self.force_helps = force_helps


@dataclass(frozen=True)
class Part:
    """The frame that goes to one partition of `ticks`; its sequence is known when it is sent."""

    partition: int
    frame: TickFrame


@dataclass(frozen=True)
class Plan:
    """What a letter becomes.

    Attributes:
        parts: One a partition; several only where a whole frame held tickers of several.
        left: What is said against ticks of a whole frame that stay behind.
    """

    parts: tuple[Part, ...]
    left: tuple[str, ...] = ()


def plan(letter: Letter, partitions: int, now_ns: int, *, force: bool = False) -> Plan:
    """Decide what a letter becomes.

    Each tick goes to its own ticker's partition, which mends one that was on another. The frame keeps the origin; it
    gets another source, sequence and position, was ingested now, and has no watermark.

    Args:
        partitions: Of `ticks`.
        now_ns: Wall clock.
        force: Replay late and early ticks too, and what came from a replay.

    Raises:
        RefusedError: It is not replayed.
    """
    frame = _frame(letter)
    problems = _problems(frame)
    good = [index for index, problem in enumerate(problems) if problem is None]
    left = tuple(f"tick {index}: {problem}" for index, problem in enumerate(problems) if problem is not None)
    if not good:
        raise RefusedError(f"still bad: {problems[0]}; {_MEND}")
    _require_wanted(letter, force=force)
    return Plan(tuple(_parts(letter, frame, good, partitions, now_ns)), left)


def _frame(letter: Letter) -> TickFrame:
    if letter.origin.startswith(REFUSED_BY_INGESTOR):
        source = safe(letter.origin.removeprefix(REFUSED_BY_INGESTOR))
        raise RefusedError(f"the ingestor refused it, and it was never in `ticks`: {_MEND} ({source})")
    if not letter.from_ticks:
        raise RefusedError(f"only letters of `ticks` can be replayed, not of {safe(letter.origin) or 'nowhere'}")
    if letter.partition is None or letter.offset is None:
        raise RefusedError("its headers do not say where in `ticks` it was")
    try:
        frame = _decode(letter.value)
    except UndecodableError as error:
        raise RefusedError(
            f"it cannot be read: {safe(str(error))} (said then: {safe(letter.reason)}); {_MEND}"
        ) from None
    problem = columns_problem(frame)
    if problem:
        raise RefusedError(f"{problem}; {_MEND}")
    return frame


def _problems(frame: TickFrame) -> list[str | None]:
    return [tick_problem(*tick) for tick in zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True)]


def _require_wanted(letter: Letter, *, force: bool) -> None:
    if letter.replayed_before and letter.reason == LATE:
        raise RefusedError("it was late when it was replayed: its ticker's bar is closed, so it would be late for ever")
    if force:
        return
    if letter.reason == LATE:
        raise RefusedError("late: its bar was closed; --force sends it all the same", force_helps=True)
    if letter.reason == EARLY:
        raise RefusedError(
            "early: it may move its ticker's time ahead, and close bars; --force sends it all the same",
            force_helps=True,
        )
    if letter.replayed_before:
        raise RefusedError("it is of a replay already, and was bad again; --force sends it once more", force_helps=True)


def _parts(letter: Letter, frame: TickFrame, good: Iterable[int], partitions: int, now_ns: int) -> Iterable[Part]:
    by_partition: dict[int, list[int]] = {}
    for index in good:
        by_partition.setdefault(partition_of(frame.tickers[index], partitions), []).append(index)
    for partition, indexes in by_partition.items():
        yield Part(
            partition,
            replace(
                frame,
                source=REPLAY_SOURCE,
                sequence=0,
                position=position_of(letter),
                tickers=[frame.tickers[index] for index in indexes],
                times_ns=[frame.times_ns[index] for index in indexes],
                prices=[frame.prices[index] for index in indexes],
                sizes=[frame.sizes[index] for index in indexes],
                ingested_at_ns=now_ns,
                watermark_ns=None,
                lost_before_ns=None,
            ),
        )


def position_of(letter: Letter) -> str:
    """Give the position on replayed frames, by which the log of `ticks` knows that a letter was replayed: its id,
    written anew, for a header may say anything."""
    places = (TICKS.name, letter.partition, letter.offset, letter.index)
    return ":".join(str(place) for place in places if place is not None)
