"""`python -m benchmarks.scoreboards`: what CPU an outcome and a board cost the scorekeeper, and what it remembers."""

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from feature_stream.scores.state import ScoreKeeper
from schemas.codec import encode
from schemas.events import Direction, MemberHorizon, Outcome

_DAY_NS = 86_400_000_000_000
_MEMBERS = {"forest": 0.4, "lstm": 0.6, "arima": 0.0, "naive": 0.0, "xgboost": 0.0}
_HORIZONS = (1, 5, 21)
_BATCH = 100


def _outcome(rng: np.random.Generator, ticker: str, bar: int, horizon: int) -> Outcome:
    moved, predicted = 0.015 * horizon**0.5 * rng.standard_normal(), 0.001 * rng.standard_normal()
    half = 0.03 * horizon**0.5
    up = predicted > 0
    return Outcome(
        id=f"{ticker}:{bar}:{horizon}",
        prediction_id=f"{ticker}:{bar}",
        ticker=ticker,
        interval="1d",
        start_ns=bar * _DAY_NS,
        bar_index=bar + 1,
        horizon=horizon,
        as_of_ns=(bar + 1) * _DAY_NS,
        matured_ns=(bar + 1 + horizon) * _DAY_NS,
        model_set="set-1",
        predicted_log_return=predicted,
        actual_log_return=moved,
        direction=Direction.BULLISH if up else Direction.BEARISH,
        confidence=0.52,
        hit=(moved > 0) == up,
        inside_95=abs(moved - predicted) <= half,
        inside_99=abs(moved - predicted) <= 1.4 * half,
        volatility=0.015,
        models={
            name: MemberHorizon(
                horizon=horizon,
                log_return=0.001 * rng.standard_normal(),
                spread=0.015,
                confidence=0.52,
                weight=prior,
                prior_weight=prior,
            )
            for name, prior in _MEMBERS.items()
        },
        weights_version="prior",
        intervals_version="holdout",
        source_partition=0,
        source_offset=bar,
        settled_at_ns=0,
        half_width_95=half,
        half_width_99=1.4 * half,
        usual_direction=Direction.BULLISH,
    )


def _dates(tickers: int, dates: int) -> Iterator[list[Outcome]]:
    """Give the outcomes of each date, batch after batch as the service takes them."""
    rng = np.random.default_rng(0)
    names = [f"T{number}" for number in range(tickers)]
    for bar in range(dates):
        yield [_outcome(rng, name, bar, horizon) for name in names for horizon in _HORIZONS]


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoreboards", description=__doc__)
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--dates", type=int, default=300)
    parser.add_argument("--timed", type=int, default=5, help="the last dates, of which boards are made")
    options = parser.parse_args()
    keeper = ScoreKeeper("1d")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    adding: list[float] = []
    boards: list[float] = []
    pooled: list[float] = []
    size = 0
    for date, outcomes in enumerate(_dates(options.tickers, options.dates)):
        for first in range(0, len(outcomes), _BATCH):
            batch = outcomes[first : first + _BATCH]
            adding.append(_seconds(lambda batch=batch: keeper.add(batch)) / len(batch))  # type: ignore[misc]
        if date >= options.dates - options.timed:
            boards += [_seconds(lambda t=ticker: keeper.board(t, 0)) for ticker in keeper.tickers]  # type: ignore[misc]
            pooled.append(_seconds(lambda: keeper.pooled_board(0)))
            size = len(encode(keeper.board(keeper.tickers[0], 0)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{options.tickers} tickers, {len(_HORIZONS)} horizons, {len(_MEMBERS)} members, {options.dates} dates")
    print(f"an outcome taken      {1e6 * statistics.median(adding):8.1f} us (median; batches of {_BATCH})")
    print(f"a ticker's board      {1e3 * statistics.median(boards):8.3f} ms (p99 {1e3 * _p99(boards):.3f})")
    print(f"the board of all      {1e3 * statistics.median(pooled):8.3f} ms")
    print(f"a board on the wire   {size:8,} bytes")
    print(f"memory                {(after - before) / 1_024:8.0f} MiB more than at the start")


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


if __name__ == "__main__":
    main()
