"""The command line."""

import argparse
from collections.abc import Sequence
from textwrap import fill

from ingestor.dead_letters.describe import FORCED_EARLY, FORCED_LATE
from ingestor.dead_letters.selection import Selection
from schemas.symbols import InvalidTickerError, normalise_ticker
from schemas.times import from_rfc3339

_DESCRIPTION = "Inspect what could not be understood, and replay what can be now; settings: TICKCAST_*."
_REPLAY = """Send letters of `ticks` back into `ticks`, under the source `dead-letters`, each once, to its ticker's own
partition: a tick that was on a wrong one is mended by that. The origin is kept, nothing else of the frame. What was
replayed stands in `ticks`: the same command again, also after a kill or beside another, sends only what is missing."""
_AFTERWARDS = """A tick that is bad again comes back as a letter of its own, which only --force replays. A ticker
whose last tick was a replayed one is closed by no watermark until the next tick of its own source."""
_EPILOG = "\n\n".join(fill(text, 100) for text in (FORCED_LATE, FORCED_EARLY, _AFTERWARDS))


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments; exits with code 2 where they are wrong."""
    parser = argparse.ArgumentParser(prog="tickcast dead-letters", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|show|replay")
    _add_list(commands)
    show = commands.add_parser("show", help="say all of one letter, and whether and how it can be replayed")
    show.add_argument("id", metavar="ID")
    replay = _add_replay(commands)
    given = parser.parse_args(words)
    if given.command == "replay":
        _require_choice(replay, given)
    return given


def selection_of(given: argparse.Namespace) -> Selection:
    """Give the filters."""
    return Selection(reason=given.reason, ticker=given.ticker, since_ns=given.since)


def _add_list(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listing = commands.add_parser("list", help="list letters, the newest last, and how many there are of each kind")
    _add_filters(listing)
    listing.add_argument("--limit", type=_positive, default=50, metavar="N", help="the newest so many (50)")
    listing.add_argument("--json", action="store_true", help="for machines: one object with letters, totals and count")


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    replay = commands.add_parser(
        "replay",
        help="send letters back into `ticks`, each once",
        description=fill(_REPLAY, 100),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("ids", nargs="*", metavar="ID", help="as `list` shows them")
    replay.add_argument("--all", action="store_true", help="every letter that can be replayed")
    _add_filters(replay)
    replay.add_argument("--force", action="store_true", help="late and early ticks too, and what came from a replay")
    replay.add_argument("--again", action="store_true", help="named letters also if they were replayed: they then "
        "count twice")  # fmt: skip
    replay.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    return replay


def _require_choice(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    filtered = any(value is not None for value in (given.reason, given.ticker, given.since))
    if given.ids and (given.all or filtered):
        parser.error("give ids, or --all, or filters like --reason; not ids and others")
    if not (given.ids or given.all or filtered):
        parser.error("say which letters: their ids, --all, or filters like --reason")
    if given.again and not given.ids:
        parser.error("--again counts ticks twice: name the letters by their ids")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", type=_text, metavar="TEXT", help="whose reason begins so, like late or undecodable")
    parser.add_argument("--ticker", type=_ticker, metavar="AAPL", help="that speak of a ticker")
    parser.add_argument("--since", type=_time_ns, metavar="TIME", help="written since, like 2026-01-31T14:30:00Z")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 up")
    return int(text)


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("give the beginning of a reason, like late")
    return text.strip()


def _ticker(text: str) -> str:
    try:
        return normalise_ticker(text)
    except InvalidTickerError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _time_ns(text: str) -> int:
    try:
        return from_rfc3339(text)
    except ValueError as error:
        wanted = "give a date like 2026-01-31 or a time like 2026-01-31T14:30:00Z"
        raise argparse.ArgumentTypeError(f"{text!r} is no time: {wanted}") from error
