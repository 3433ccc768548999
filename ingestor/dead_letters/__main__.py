"""`python -m ingestor.dead_letters list|show|replay`."""

import argparse
import io
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial

from confluent_kafka.admin import AdminClient, ConfigResource

from ingestor.dead_letters.arguments import parse, selection_of
from ingestor.dead_letters.describe import describe
from ingestor.dead_letters.kafka import FrameSender, TicksLog, read_letters
from ingestor.dead_letters.letter import Letter
from ingestor.dead_letters.replay import Replayer, Result, Told, Wishes
from ingestor.dead_letters.selection import each_once, named
from ingestor.dead_letters.text import Row, row_of, rows_json, safe, table, totals_line
from schemas.broker import require_topics
from schemas.errors import RetryError, StopAndSayError
from schemas.service import run_service
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TICKS

_SEE_LIST = "`tickcast dead-letters list` shows those that there are"


def main() -> None:
    """Read the command line and do what it says."""
    given = parse()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        run_service("dead-letters", Settings, partial(_run, given))
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(given: argparse.Namespace, settings: Settings) -> None:
    commands: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
        "list": _list,
        "show": _show,
        "replay": _replay,
    }
    _require_topics(settings)
    commands[given.command](given, settings)
    sys.stdout.flush()


def _require_topics(settings: Settings) -> None:
    found = require_topics(settings, (TICKS, DEAD_LETTERS), AdminClient, ConfigResource)
    name = settings.topic_prefix + TICKS.name
    count = found[name].partitions
    if count != settings.partitions:  # the embedded broker always has 4
        raise StopAndSayError(f"TICKCAST_PARTITIONS: topic {name} has {count} partitions, not {settings.partitions}")


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _list(given: argparse.Namespace, settings: Settings) -> None:
    selection = selection_of(given)
    rows: deque[Row] = deque(maxlen=given.limit)
    totals: Counter[str] = Counter()
    for letter in each_once(read_letters(settings, given.since)):
        if selection.takes(letter):
            row = row_of(letter)
            rows.append(row)
            totals[row.kind] += 1
    if given.json:
        _say(rows_json(list(rows), totals))
    else:
        _say(*(table(list(rows)) if rows else ()), totals_line(totals, len(rows)))


def _show(given: argparse.Namespace, settings: Settings) -> None:
    letter = next(named(read_letters(settings), {given.id}), None)
    if letter is None:
        raise StopAndSayError(f"there is no dead letter {safe(given.id)}: {_SEE_LIST}")
    with closing(TicksLog(settings)) as log:
        _say(*describe(letter, settings.partitions, time.time_ns(), log.heard))


def _replay(given: argparse.Namespace, settings: Settings) -> None:
    missing = set(given.ids)
    told: Counter[Result] = Counter()
    wishes = Wishes(force=given.force, again=given.again, dry_run=given.dry_run)
    with closing(TicksLog(settings)) as log:
        send = FrameSender(settings).send
        replayer = Replayer(log, send, settings.partitions, time.time_ns, wishes)
        try:
            for one in replayer.replay(_chosen(given, settings, missing)):
                told[one.result] += 1
                _say(_line(one, dry_run=given.dry_run))
        except KeyboardInterrupt:
            raise RetryError("stopped; the same command goes on where it ended") from None
    _say(", ".join(f"{told[result]} {_word(result, dry_run=given.dry_run)}" for result in Result))
    if missing:
        raise StopAndSayError(f"there is no dead letter {', '.join(map(safe, sorted(missing)))}: {_SEE_LIST}")
    if given.ids and told[Result.REFUSED]:
        raise StopAndSayError("not all that was named was replayed: each line above says why")


def _chosen(given: argparse.Namespace, settings: Settings, missing: set[str]) -> Iterable[Letter]:
    letters: Iterator[Letter] = read_letters(settings, given.since)
    if given.ids:
        return named(letters, missing)
    return filter(selection_of(given).takes, each_once(letters))


def _line(told: Told, *, dry_run: bool) -> str:
    return f"{safe(told.letter.id)}: {_word(told.result, dry_run=dry_run)}: {told.text}"


def _word(result: Result, *, dry_run: bool) -> str:
    return "to replay" if dry_run and result is Result.REPLAYED else result.value


if __name__ == "__main__":
    main()
