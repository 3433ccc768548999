"""`python -m ingestor`: play a source; `check`: can it be played?; `describe file:PATH`: what does a file hold?"""

import argparse
import sys
from collections.abc import Callable

import msgspec

from ingestor.service import run
from ingestor.settings import IngestorSettings
from ingestor.sources.file_description import describe_file
from ingestor.sources.open_source import open_source
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.service import run_service
from schemas.settings import load_settings
from schemas.times import NS_PER_SECOND, from_rfc3339

#: A file of which more rows go back in time is sorted by something else, like ticker after ticker.
_MOST_BACKWARDS = 0.1


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="tickcast ingestor", description="Play a source into `ticks`; settings: TICKCAST_*."
    )
    commands = parser.add_subparsers(dest="command")
    describe = commands.add_parser("describe", help="say in one line of JSON what a file holds")
    describe.add_argument("source", metavar="file:PATH")
    commands.add_parser("check", help="see whether the source of the settings can be played; needs no broker")
    arguments = parser.parse_args()
    if arguments.command == "describe":
        sys.exit(_say(lambda: _described(arguments.source)))
    if arguments.command == "check":
        sys.exit(_say(_checked_title))
    run_service("ingestor", IngestorSettings, run)


def _described(source: str) -> str:
    return msgspec.json.encode(describe_file(source.removeprefix("file:"))).decode()


def _checked_title() -> str:
    settings = load_settings(IngestorSettings)
    title = open_source(settings).title
    if settings.source_path:
        _check_file(settings)
    return title


def _check_file(settings: IngestorSettings) -> None:
    """Find out before the play what it would only come to later."""
    path = settings.source_path
    described = describe_file(path, int(settings.file_disorder_seconds * NS_PER_SECOND), settings.tickers)
    last = described.last
    if last and settings.start_ns is not None and from_rfc3339(last) < settings.start_ns:
        raise StopAndSayError(f"TICKCAST_START {settings.start}: {path} ends before it, at {last}")
    if described.backwards > _MOST_BACKWARDS:
        raise StopAndSayError(f"{path} is not in the order of time: sort its rows by timestamp")


def _say(find: Callable[[], str]) -> int:
    """Print what was found, or why nothing was; give the exit code."""
    try:
        sys.stdout.write(find() + "\n")
    except StopAndSayError as error:
        sys.stderr.write(f"ingestor: {error}\n")
        return EXIT_STOP_AND_SAY
    return 0


if __name__ == "__main__":
    main()
