"""`make bench`: how fast, beside a plain confluent-kafka loop that does the same work in the same run.

The feature stage beside its peers is `make bench-features`.
"""

import argparse
from pathlib import Path

from benchmarks.cluster import kafka
from benchmarks.feature_stage.contestants import BARE, TICKCAST
from benchmarks.feature_stage.logs import input_log
from benchmarks.feature_stage.speed import measure_speed
from benchmarks.market import Market
from benchmarks.predictions import batch_seconds, trained_set
from benchmarks.predictions import measure as measure_predictor
from benchmarks.stopwatch import Pace, median

_BARE = "bare"
_STAGE_SECONDS = 15.0
_WARM_UP_BARS = 70


def _measure_stage(address: str, market: Market, runs: int) -> dict[str, Pace]:
    """Time the stage and its bound, in turn, so often, on the same log; medians."""
    paces: dict[str, list[Pace]] = {contestant.name: [] for contestant in (TICKCAST, BARE)}
    with input_log(address, market, TICKCAST) as log:
        for _ in range(runs):
            for contestant in (TICKCAST, BARE):
                paces[contestant.name].append(measure_speed(contestant, log, _STAGE_SECONDS))
    return {name: median(timed) for name, timed in paces.items()}


def _print_table(title: str, unit: str, paces: dict[str, Pace]) -> None:
    bound = next(pace.per_second for name, pace in paces.items() if name.startswith(_BARE))
    print(f"\n{title}\n{'':30}{unit + '/s':>16}{'CPU us each':>14}{'of bare':>10}")
    for name, pace in paces.items():
        share = pace.per_second / bound
        print(f"{name:30}{pace.per_second:16,.0f}{pace.cpu_microseconds_each:14.2f}{share:10.0%}")


def _print_batches(seconds: dict[int, float]) -> None:
    print(
        f"\nWhole predictions by the ensemble, in this process\n{'batch':>8}{'ms':>10}{'batches/s':>12}{'rows/s':>12}"
    )
    for size, taken in seconds.items():
        print(f"{size:8}{taken * 1_000:10.2f}{1 / taken:12,.0f}{size / taken:12,.0f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--ticks", type=int, default=3_000_000)
    parser.add_argument("--tickers", type=int, default=100)
    parser.add_argument("--frame-ticks", type=int, default=256)
    parser.add_argument("--features", type=int, default=10_000, help="final feature events for the predictor")
    parser.add_argument("--models", type=Path, default=Path("var/models"), help="folder of model sets")
    parser.add_argument("--runs", type=int, default=3)
    return parser


def main() -> None:
    """Run the benchmarks, and print their tables."""
    options = _parser().parse_args()
    market = Market(
        tickers=options.tickers, ticks=options.ticks, frame_ticks=options.frame_ticks, warm_up_bars=_WARM_UP_BARS
    )
    directory = options.models.resolve()
    model_set = trained_set(directory)
    with kafka() as address:
        title = f"Feature stage: {options.ticks:,} ticks, {options.tickers} tickers, {options.frame_ticks} in a frame"
        _print_table(f"{title}, median of {options.runs}", "ticks", _measure_stage(address, market, options.runs))
        title = f"Predictor: {options.features:,} final features, median of {options.runs}"
        paces = measure_predictor(address, directory, options.features, options.runs)
        _print_table(title, "predictions", paces)
    _print_batches(batch_seconds(model_set, (1, 10, 100, 500), runs=20))


if __name__ == "__main__":
    main()
