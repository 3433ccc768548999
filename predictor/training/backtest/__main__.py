"""`python -m predictor.training.backtest`: what would the predictions of a time have been worth?"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from predictor.training.backtest.options import REFIT_BARS, BacktestOptions, time_of
from predictor.training.backtest.task import SERVICE, backtest
from predictor.training.settings import TrainingSettings
from schemas.service import run_service
from schemas.settings import Settings, load_settings
from schemas.times import INTERVALS

_SETTINGS = (
    "source",
    "tickers",
    "interval",
    "horizons",
    "training_window_bars",
    "training_parameters",
    "training_seed",
    "signal_share",
)


def main(arguments: Sequence[str]) -> None:
    """Make one report and exit."""
    given = _parser().parse_args(arguments)

    def run(_shared: Settings) -> None:
        named: dict[str, Any] = {name: getattr(given, name) for name in _SETTINGS if getattr(given, name) is not None}
        backtest(load_settings(TrainingSettings, **named), _options(given))

    run_service(SERVICE, Settings, run)


def _options(given: argparse.Namespace) -> BacktestOptions:
    return BacktestOptions(
        from_ns=time_of("--from", given.first),
        to_ns=time_of("--to", given.last, end=True),
        refit_bars=None if given.no_refit or given.model_set is not None else given.refit_bars,
        members=tuple(name.strip() for name in given.models.split(",") if name.strip()),
        model_set=given.model_set,
        from_outcomes=given.from_outcomes,
        cost_bps=given.cost_bps,
        long_only=given.long_only,
        report=given.report,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickcast backtest",
        description="Walk forward through the past with the code of the live system, and write a report: an HTML page "
        "and, beside it, all numbers as JSON.",
        epilog="Options not given fall back to settings such as TICKCAST_SOURCE. Not investment advice.",
    )
    add = parser.add_argument
    add("--from", dest="first", metavar="DATE", help="the first bar to predict from; models see nothing later than it")
    add("--to", dest="last", metavar="DATE", help="a date: the last day; a time: nothing from it on (all)")
    add("--from-outcomes", action="store_true", help="report what was predicted live: read the topics `outcomes` and "
        "`bars`, and train nothing")  # fmt: skip
    add("--source", metavar="replay|file:PATH", help="whose bars (replay)")
    add("--tickers", metavar="AAPL,MSFT", help="only these")
    add("--interval", choices=INTERVALS, help="length of a bar")
    add("--horizons", metavar="1,5,21", help="in bars, ascending")
    add("--refit-bars", type=_count, default=REFIT_BARS, metavar="N", help=f"train again every N dates ({REFIT_BARS})")
    add("--no-refit", action="store_true", help="train once, before the first date")
    add("--window-bars", dest="training_window_bars", type=_count, metavar="N", help="fit on the last N dates only")
    add("--models", default="", metavar="naive,arima", help="train only these, as an ensemble of their own")
    add("--model-set", type=Path, metavar="FOLDER", help="train nothing: a saved set predicts everything")
    add("--parameters", dest="training_parameters", metavar="FILE", help="train with what `predictor search` found")
    add("--seed", dest="training_seed", type=int, metavar="N", help="of every random choice")
    add("--signal-share", type=float, metavar="SHARE", help="of a horizon's volatility, as TICKCAST_SIGNAL_SHARE")
    add("--cost-bps", type=_cost, default=5.0, metavar="N", help="cost of trading each way, in basis points (5)")
    add("--long-only", action="store_true", help="a bearish forecast is no position instead of a short one")
    add("--report", type=_page, default=Path("var/backtest/report.html"), metavar="FILE", help="where to write the "
        "page (var/backtest/report.html)")  # fmt: skip
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _cost(text: str) -> float:
    try:
        cost = float(text)
    except ValueError:
        cost = -1.0
    if not 0.0 <= cost < 10_000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of basis points from 0 to 10,000")
    return cost


def _page(text: str) -> Path:
    if Path(text).suffix.lower() not in {".html", ".htm"}:
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .html")
    return Path(text)


if __name__ == "__main__":
    main(sys.argv[1:])
