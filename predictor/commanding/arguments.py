"""The command line, and the command that it asks for."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from predictor.commanding.asking import PATIENCE_SECONDS
from predictor.training.parameter_file import read_parameter_file, search_evidence
from schemas.decisions import MOST_SHARE
from schemas.events import CommandAction, ModelCommand, ModelRole, RetrainKind

_DESCRIPTION = "See which model sets there are, and ask the trainer to change what serves; settings: TICKCAST_*."
_WAITS = "The command goes to the topic `model-commands`, and what the trainer makes of it is waited for."


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the arguments; exits with code 2 where they are wrong."""
    parser = argparse.ArgumentParser(prog="tickcast models", description=_DESCRIPTION, epilog=_WAITS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|load|unload|rollback|retrain")
    listing = commands.add_parser("list", help="what serves and what did, who decided it and why, and where it lies")
    listing.add_argument("--json", action="store_true", help="for machines: one object with the sets")
    load = _wish(commands, "load", "let a set serve, or challenge the one that does")
    load.add_argument("model_set", metavar="SET", help="as `list` names it")
    _add_challenger(load, "show it beside the serving set, and score it, instead")
    load.add_argument("--share", type=_share, metavar="0.1", help="with --challenger: of the tickers, on which it "
        f"answers and the serving set is shown beside it, at most {MOST_SHARE} (0)")  # fmt: skip
    unload = _wish(commands, "unload", "let no set serve: the statistical forecaster answers")
    _add_challenger(unload, "end the challenge instead, and leave what serves")
    _wish(commands, "rollback", "let the set serve that served before")
    retrain = _wish(commands, "retrain", "fit a set on later data, and let it serve if it is not worse")
    retrain.add_argument("--change", action="store_true", help="another recipe: it must be better, in shadow too")
    retrain.add_argument("--parameters", type=Path, metavar="FILE", help="with --change: what `predictor search` wrote")
    given = parser.parse_args(words)
    if given.command == "load" and given.share is not None and not given.challenger:
        load.error("--share is a challenger's: add --challenger")
    if given.command == "retrain" and given.parameters is not None and not given.change:
        retrain.error("other parameters are another recipe: add --change")
    return given


def _wish(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {_WAITS}")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it stands in `models` beside the decision")
    parser.add_argument("--wait", type=_seconds, default=PATIENCE_SECONDS, metavar="SECONDS", help="how long "
        f"the trainer may keep silent; while it says that it works on it, longer ({PATIENCE_SECONDS:g})")  # fmt: skip
    parser.add_argument("--no-wait", action="store_true", help="only send the command")
    return parser


def _add_challenger(parser: argparse.ArgumentParser, summary: str) -> None:
    parser.add_argument("--challenger", action="store_true", help=summary)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= MOST_SHARE:
        why = "the set that serves must answer most tickers"
        raise argparse.ArgumentTypeError(f"{text} is no share from 0 to {MOST_SHARE}: {why}")
    return share


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return seconds


def command_of(given: argparse.Namespace, command_id: str, requested_by: str, now_ns: int) -> ModelCommand:
    """Give the command that the arguments ask for.

    Raises:
        StopAndSayError: The file of parameters cannot be read.
    """
    challenger, share = getattr(given, "challenger", False), getattr(given, "share", None)
    change, parameters = getattr(given, "change", False), getattr(given, "parameters", None)
    found = None if parameters is None else read_parameter_file(parameters)
    return ModelCommand(
        id=command_id,
        action=CommandAction(given.command),
        requested_by=requested_by,
        requested_at_ns=now_ns,
        model_set=getattr(given, "model_set", None),
        reason=given.reason,
        kind=RetrainKind.CHANGE if change else RetrainKind.REFRESH,
        parameters={} if found is None else msgspec.to_builtins(found.parameters),
        evidence={} if found is None else search_evidence(found),
        role=ModelRole.CHALLENGER if challenger else ModelRole.SERVING,
        share=share or 0.0,
    )
