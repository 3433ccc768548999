"""`python -m ingestor`: play a source; `python -m ingestor describe file:PATH`: say what a file holds."""

import argparse
import sys

import msgspec

from ingestor.service import run
from ingestor.settings import IngestorSettings
from ingestor.sources.file_description import describe_file
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.service import run_service


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="ingestor", description="Play a source into `ticks`; settings: TICKCAST_*.")
    commands = parser.add_subparsers(dest="command")
    describe = commands.add_parser("describe", help="say in one line of JSON what a file holds")
    describe.add_argument("source", metavar="file:PATH")
    arguments = parser.parse_args()
    if arguments.command == "describe":
        sys.exit(_describe(arguments.source))
    run_service("ingestor", IngestorSettings, run)


def _describe(source: str) -> int:
    try:
        description = describe_file(source.removeprefix("file:"))
    except StopAndSayError as error:
        sys.stderr.write(f"ingestor: {error}\n")
        return EXIT_STOP_AND_SAY
    sys.stdout.write(msgspec.json.encode(description).decode() + "\n")
    return 0


if __name__ == "__main__":
    main()
