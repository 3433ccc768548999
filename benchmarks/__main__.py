"""`make bench`: how fast, beside a plain confluent-kafka loop that does the same work in the same run."""

import argparse

from benchmarks.cluster import kafka
from benchmarks.feature_stage import measure as measure_stage
from benchmarks.market import Market
from benchmarks.stopwatch import Pace

_BARE = "bare"


def _print_table(title: str, unit: str, paces: dict[str, Pace]) -> None:
    bound = next(pace.per_second for name, pace in paces.items() if name.startswith(_BARE))
    print(f"\n{title}\n{'':30}{unit + '/s':>16}{'CPU us each':>14}{'of bare':>10}")
    for name, pace in paces.items():
        share = pace.per_second / bound
        print(f"{name:30}{pace.per_second:16,.0f}{pace.cpu_microseconds_each:14.2f}{share:10.0%}")


def main() -> None:
    """Run the benchmarks that are asked for, and print their tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--tickers", type=int, default=100)
    parser.add_argument("--frame-ticks", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    market = Market(tickers=options.tickers, ticks=options.ticks, frame_ticks=options.frame_ticks)
    with kafka() as address:
        title = f"Feature stage: {options.ticks:,} ticks, {options.tickers} tickers, {options.frame_ticks} in a frame"
        _print_table(f"{title}, median of {options.runs}", "ticks", measure_stage(address, market, options.runs))


if __name__ == "__main__":
    main()
