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
from schemas.times import from_rfc3339


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="ingestor", description="Play a source into `ticks`; settings: TICKCAST_*.")
    commands = parser.add_subparsers(dest="command")
    describe = commands.add_parser("describe", help="say in one line of JSON what a file holds")
    describe.add_argument("source", metavar="file:PATH")
    commands.add_parser("check", help="see whether the source of the settings can be played; needs no broker")
    arguments = parser.parse_args()
    if arguments.command == "describe":
        sys.exit(_say(lambda: _described(arguments.source)))
    if arguments.command == "check":
        sys.exit(_say(_title))
    run_service("ingestor", IngestorSettings, run)


def _described(source: str) -> str:
    return msgspec.json.encode(describe_file(source.removeprefix("file:"))).decode()


def _title() -> str:
    settings = load_settings(IngestorSettings)
    title = open_source(settings).title
    last = describe_file(settings.source_path).last if settings.source_path else None
    if last and settings.start_ns is not None and from_rfc3339(last) < settings.start_ns:
        raise StopAndSayError(f"TICKCAST_START {settings.start}: {settings.source_path} ends before it, at {last}")
    return title


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
