"""`python -m ingestor.commanding [add|remove|pause|resume]`."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import msgspec
from confluent_kafka.admin import AdminClient, ConfigResource

from ingestor.command_feed import CommandFeed
from ingestor.commanding.arguments import command_of, parse
from ingestor.commanding.asking import send, wait
from ingestor.commanding.listing import playing_lines, playing_row, provider_lines
from ingestor.commanding.playing import Playing, playing_now, require_changeable
from ingestor.commanding.providers import look_at
from ingestor.sources.live.settings import LiveSettings
from schemas.asking import new_command_id, person
from schemas.broker import require_topics
from schemas.errors import TickcastError
from schemas.service import run_service
from schemas.source_settings import LIVE_SOURCES
from schemas.topics import SERVICE_STATUS, SOURCE_COMMANDS


def main(words: Sequence[str]) -> None:
    """Read the command line and do what it says."""
    run_service("sources", LiveSettings, partial(_run, parse(words)))


def _run(given: argparse.Namespace, settings: LiveSettings) -> None:
    if given.command is None:
        _list(given, settings)
    else:
        _ask(given, settings)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _list(given: argparse.Namespace, settings: LiveSettings) -> None:
    providers = asyncio.run(look_at(LIVE_SOURCES, settings, ask=not given.no_ask))
    playing, problem = _playing(settings)
    rows = [playing_row(each) for each in playing]
    if given.json:
        _say(msgspec.json.encode({"sources": providers, "playing": rows, "problem": problem}).decode())
        return
    _say(*provider_lines(providers), "")
    _say(*playing_lines(rows)) if rows else _say(problem or "nothing plays now")


def _playing(settings: LiveSettings) -> tuple[list[Playing], str | None]:
    """Give what plays, and why that is not known where no broker tells."""
    try:
        require_topics(settings, (SERVICE_STATUS,), AdminClient, ConfigResource)
        with closing(CommandFeed(settings)) as feed:
            return playing_now(feed.statuses(), time.time_ns()), None
    except TickcastError as error:
        return [], f"what plays now is not known: {error}"


def _ask(given: argparse.Namespace, settings: LiveSettings) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts it with `&` has it ignored
    require_topics(settings, (SERVICE_STATUS, SOURCE_COMMANDS), AdminClient, ConfigResource)
    with closing(CommandFeed(settings)) as feed:
        source = require_changeable(playing_now(feed.statuses(), time.time_ns()), given.source)
        command = command_of(given, source.source, new_command_id(), person(), time.time_ns())
        send(settings, command, _say)
        if not given.no_wait:
            _say(wait(feed, command, _say, given.wait))


if __name__ == "__main__":
    main(sys.argv[1:])
