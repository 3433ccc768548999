"""The command line, and the command that it asks for."""

import argparse
import math
from collections.abc import Sequence

from schemas.events import SourceAction, SourceCommand
from schemas.symbols import InvalidTickerError, normalise_ticker

#: How long the ingestor may keep silent on a command, unless somebody says so.
PATIENCE_SECONDS = 60.0
_DESCRIPTION = "See which live sources can be used and what plays, and change its tickers; settings: TICKCAST_*."
_WAITS = "The command goes to the topic `source-commands`, and what the ingestor makes of it is waited for."
_ACTIONS = {
    SourceAction.ADD: "play these, too",
    SourceAction.REMOVE: "play these no more; none named: all",
    SourceAction.PAUSE: "let these rest, and keep them in the list; none named: all",
    SourceAction.RESUME: "go on with these; none named: all that rest",
}


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the arguments; exits with code 2 where they are wrong. `command` is None for the list."""
    parser = argparse.ArgumentParser(prog="tickcast sources", description=_DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="for machines: one object with the sources")
    parser.add_argument("--no-ask", action="store_true", help="do not ask the providers whether they answer")
    commands = parser.add_subparsers(dest="command", metavar="add|remove|pause|resume")
    for action, summary in _ACTIONS.items():
        _add_action(commands, action, summary)
    return parser.parse_args(words)


def _add_action(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", action: SourceAction, summary: str
) -> None:
    parser = commands.add_parser(action, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {_WAITS}")
    count = "+" if action is SourceAction.ADD else "*"
    parser.add_argument("tickers", nargs=count, type=_ticker, metavar="TICKER", help="like AAPL")
    parser.add_argument("--source", default="", metavar="NAME", help="whose; default: the live source that plays")
    parser.add_argument("--wait", type=_seconds, default=PATIENCE_SECONDS, metavar="SECONDS", help="how long "
        f"the ingestor may keep silent ({PATIENCE_SECONDS:g})")  # fmt: skip
    parser.add_argument("--no-wait", action="store_true", help="only send the command")


def _ticker(text: str) -> str:
    try:
        return normalise_ticker(text)
    except InvalidTickerError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return seconds


def command_of(
    given: argparse.Namespace, source: str, command_id: str, requested_by: str, now_ns: int
) -> SourceCommand:
    """Give the command that the arguments ask for."""
    return SourceCommand(
        id=command_id,
        source=source,
        action=SourceAction(given.command),
        requested_by=requested_by,
        requested_at_ns=now_ns,
        tickers=list(given.tickers),
    )
