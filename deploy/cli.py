"""The `tickcast` command: it starts what `python -m …` starts, with the same arguments."""

import argparse
import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deploy.run_options import absolute_source
from deploy.running_env import adopt_running_env
from deploy.say import errors_in_one_line
from schemas import VERSION
from schemas.errors import StopAndSayError


@dataclass(frozen=True)
class Needs:
    """A package that is not installed with Tickcast itself, and the extra that brings it."""

    package: str
    extra: str


@dataclass(frozen=True)
class Command:
    """A command and the module behind it, which reads its arguments, or takes none."""

    module: str
    summary: str
    takes_arguments: bool = True
    needs: Needs | None = None


COMMANDS: dict[str, Command] = {
    "run": Command("deploy.local", "start the whole system on this machine"),
    "kafka": Command("deploy.kafka", "start only Apache Kafka, or fetch its jars (`resolve`)"),
    "topics": Command("deploy.topics", "create the topics and check those that exist", takes_arguments=False),
    "ingestor": Command("ingestor", "play a source into `ticks`, or describe a file (`describe file:PATH`)"),
    "sources": Command("ingestor.commanding", "list live sources and what plays; add, remove, pause, resume tickers"),
    "history": Command(
        "ingestor.history",
        "fetch the past of a live market into a Parquet file that can be played",
        needs=Needs("pyarrow", "live"),
    ),
    "dead-letters": Command("ingestor.dead_letters", "list, show and replay what could not be understood"),
    "feature-stream": Command("feature_stream", "turn `ticks` into bars and features", takes_arguments=False),
    "predictor": Command(
        "predictor",
        "predict from `features`; `predictor trainer` trains and decides what serves, `train` asks it, `search` tunes",
    ),
    "models": Command(
        "predictor.commanding", "list model sets; load, unload, roll back or retrain: the trainer does it"
    ),
    "audit": Command(
        "predictor.training.audit", "cut off the future, and prove that nothing changes (`--quick`: in seconds)"
    ),
    "backtest": Command(
        "predictor.training.backtest", "walk forward through the past as if it were live, and report what came out"
    ),
    "outcomes": Command(
        "feature_stream.outcomes",
        "settle predictions: `outcomes` from `predictions` and `bars`, and the `scores` of them",
        takes_arguments=False,
    ),
    "drift": Command(
        "feature_stream.drift_command",
        "say whether the forecasts have become worse, and whether a retrain is asked for",
    ),
    "recorder": Command(
        "gateway.recorder",
        "write predictions, outcomes, bars and indicators into the database",
        takes_arguments=False,
    ),
    "gateway": Command("gateway", "serve REST, WebSocket and the page", takes_arguments=False),
    "watch": Command(
        "gateway.client.watch",
        "show predictions as they come in this terminal (`watch AAPL MSFT`; none: all)",
        needs=Needs("rich", "terminal"),
    ),
    "keys": Command("gateway.access", "make, list, revoke and rotate the API keys of the gateway; show their usage"),
    "users": Command("gateway.access.users_command", "make, list, change and remove the users of the gateway"),
    "postman": Command(
        "gateway.postman", "print the REST API as a Postman collection, to be imported", takes_arguments=False
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name, rest = _parse(words)
    if not COMMANDS[name].takes_arguments:
        _refuse_arguments(name, rest)
    if name != "run":
        adopt_running_env(Path("var"), Path(".env"), source=_named_source(rest))
    sys.argv = [f"tickcast {name}", *rest]
    with errors_in_one_line(name):
        _require(COMMANDS[name].needs)
        runpy.run_module(COMMANDS[name].module, run_name="__main__", alter_sys=True)


def _parse(words: list[str]) -> tuple[str, list[str]]:
    """Split the command from its arguments, which are its own business, `--help` included."""
    width = max(map(len, COMMANDS)) + 2
    listing = "\n".join(f"  {name:<{width}}{command.summary}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="tickcast",
        usage="tickcast COMMAND [argument …]",
        description="Live stock predictions from a stream of ticks.",
        epilog=f"commands:\n{listing}\n\n`tickcast COMMAND --help` says more. "
        "While `tickcast run` runs in this folder, the other commands find its broker by themselves.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tickcast {VERSION}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    known = parser.parse_args(words[:1])
    return known.command, words[1:]


def _require(needs: Needs | None) -> None:
    """Say what is to be installed, before a module fails that imports it.

    Raises:
        StopAndSayError: It is not installed.
    """
    if needs is not None and find_spec(needs.package) is None:
        raise StopAndSayError(f"{needs.package} is not installed: pip install tickcast[{needs.extra}]")


def _named_source(words: list[str]) -> str | None:
    """Give the source that a command's own arguments name, as the running system would."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--source", type=absolute_source)
    try:
        found: str | None = parser.parse_known_args(words)[0].source
    except argparse.ArgumentError:  # the command says it
        return None
    return found


def _refuse_arguments(name: str, words: list[str]) -> None:
    """Say the help, or what is too much, before a module that looks at no argument starts."""
    argparse.ArgumentParser(
        prog=f"tickcast {name}",
        description=f"{COMMANDS[name].summary[0].upper()}{COMMANDS[name].summary[1:]}.",
        epilog="It takes no arguments; its settings, TICKCAST_*, are in .env.example.",
    ).parse_args(words)


if __name__ == "__main__":
    main()
