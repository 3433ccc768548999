"""`python -m predictor.training [train|trainer|ensure|search]`: fit a model set, serve as the trainer, tune models."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from predictor.training.settings import TrainingSettings
from predictor.training.tasks import SERVICE, ensure_here, search_and_save, train_or_ask
from schemas.service import run_service
from schemas.settings import Settings, load_settings
from schemas.times import INTERVALS


def main(arguments: Sequence[str]) -> None:
    """Run one command and exit."""
    given = vars(_parser().parse_args(arguments))
    command, announcing = given.pop("command"), given.pop("announce")
    trials, path = given.pop("trials"), given.pop("to")
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    def run(_shared: Settings) -> None:
        settings = load_settings(TrainingSettings, **options)
        if command == "trainer":
            from predictor.training.service.run import run as serve  # noqa: PLC0415 - only the service needs it all

            serve(settings)
        elif command == "ensure":
            ensure_here(settings)
        elif command == "search":
            search_and_save(settings, trials=trials, path=path)
        else:
            train_or_ask(settings, announcing=announcing, here=bool(options.keys() - {"training_parameters"}))

    run_service(SERVICE, Settings, run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickcast predictor",
        description="Fit the models on what lies before the first live bar, and save them as a model set.",
        epilog="Options not given fall back to settings such as TICKCAST_START.",
    )
    add = parser.add_argument
    add("command", nargs="?", choices=("train", "trainer", "ensure", "search"), default="train", help="train: ask the "
        "trainer that runs, or train here where none does, or where more than --parameters is given; trainer: be it, "
        "until told to stop; ensure: train only where no set that fits is announced or lies on disk, and announce it; "
        "search: for better parameters")  # fmt: skip
    add("--announce", action="store_true", help="tell the predictor, over the topic `models`, where no trainer runs")
    add("--source", metavar="replay|file:PATH", help="whose bars to train on (replay)")
    add("--before", dest="start", metavar="DATE", help="train on bars that end by then (the start of what is played)")
    add("--window-bars", dest="training_window_bars", type=int, metavar="N", help="fit on the last N bars only")
    add("--tickers", metavar="AAPL,MSFT", help="only these")
    add("--parameters", dest="training_parameters", metavar="FILE", help="train with what `search` found")
    add("--trials", type=_positive, default=20, metavar="N", help="search: so many candidates of each model (20)")
    add("--to", type=Path, default=Path("var/parameters.json"), metavar="FILE", help="search: where to write them")
    add("--seed", dest="training_seed", type=int, metavar="N", help="of every random choice")
    add("--horizons", metavar="1,5,21", help="in bars, ascending")
    add("--interval", choices=INTERVALS, help="length of a bar")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    main(sys.argv[1:])
