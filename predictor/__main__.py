"""`python -m predictor`: predict; `trainer`, `train`, `ensure` and `search`, with arguments of their own: fit."""

import argparse
import sys
from collections.abc import Sequence

from predictor.service import SERVICE, run
from predictor.settings import PredictorSettings
from schemas.service import run_service

#: Commands of the training, and what they do.
_TRAINING = {
    "trainer": "train on command, and decide which model set serves, until told to stop",
    "train": "ask the trainer for a training; where none runs, fit the models and save them as a model set",
    "search": "search for better parameters of the models, and write them into a file for `train --parameters`",
    "ensure": "train only where no set that fits is announced or lies on disk, and announce it",
}


def main(arguments: Sequence[str]) -> None:
    """Run the worker, or hand the arguments on to the training."""
    if arguments and arguments[0] in _TRAINING:
        from predictor.training.__main__ import main as train  # noqa: PLC0415 - TensorFlow is not for serving

        train(arguments)
        return
    _parser().parse_args(arguments)
    run_service(SERVICE, PredictorSettings, run)


def _parser() -> argparse.ArgumentParser:
    """Make the parser that says the help, and refuses what it does not know."""
    parser = argparse.ArgumentParser(
        prog="tickcast predictor",
        description="Predict from `features` until told to stop; settings: TICKCAST_*.",
    )
    commands = parser.add_subparsers(title="training")
    for name, summary in _TRAINING.items():
        commands.add_parser(name, help=summary)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
