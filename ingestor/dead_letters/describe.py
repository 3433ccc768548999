"""All that is known of one letter: `show`."""

import shlex
from collections.abc import Callable, Iterator

from ingestor.dead_letters.heard import HeardReplays
from ingestor.dead_letters.letter import EARLY, LATE, Letter
from ingestor.dead_letters.plan import RefusedError, plan
from ingestor.dead_letters.replay import reason_against_again
from ingestor.dead_letters.text import pretty_value, safe, safe_bytes
from schemas.times import to_rfc3339

FORCED_LATE = (
    "A late tick is below what its ticker, or its source's watermark, has closed. Sent by the replay it is held only "
    "against its ticker: it is taken if its ticker's own ticks have closed no later bar, else it comes back as late, "
    "under another id, and no bar changes."
)
FORCED_EARLY = (
    "An early tick, if it is taken, closes the bars of its ticker before it, and what comes later with earlier times "
    "is late. Force it only when the market has come to its time."
)


def describe(letter: Letter, partitions: int, now_ns: int, heard: Callable[[int], HeardReplays]) -> Iterator[str]:
    """Give the lines that say what a letter is, and whether and how it can be replayed.

    Args:
        partitions: Of `ticks`.
        now_ns: Wall clock.
        heard: Gives what a partition says of replays.
    """
    yield f"id: {safe(letter.id)}"
    yield f"written: {to_rfc3339(letter.at_ns)}"
    for name, value in letter.headers:
        yield f"header {safe(name)}: {safe_bytes(value)}"
    yield "key: none" if letter.key is None else f"key: {safe_bytes(letter.key)}"
    yield f"value, {len(letter.value)} bytes:"
    yield pretty_value(letter)
    yield from _replay(letter, partitions, now_ns, heard)


def _replay(letter: Letter, partitions: int, now_ns: int, heard: Callable[[int], HeardReplays]) -> Iterator[str]:
    forced = False
    try:
        planned = plan(letter, partitions, now_ns)
    except RefusedError as error:
        yield f"replay: no: {error}"
        if not error.force_helps:
            return
        forced, planned = True, plan(letter, partitions, now_ns, force=True)
    for problem in planned.left:
        yield f"replay: not this: {problem}"
    command = f"tickcast dead-letters replay {shlex.quote(safe(letter.id))}{' --force' if forced else ''}"
    for part in planned.parts:
        reason = reason_against_again(letter, part, heard(part.partition))
        mended = "" if letter.partition == part.partition else f", not {letter.partition} where it was"
        yield (
            f"replay: no: {reason}" if reason else f"replay: `{command}` sends it to partition {part.partition}{mended}"
        )
    if letter.reason in (LATE, EARLY):
        yield FORCED_LATE if letter.reason == LATE else FORCED_EARLY
