"""`make bench-features`: the feature stage beside Quix Streams, Bytewax and a bare loop, on the same Kafka, in one go.

Every contestant first shows on a small log that it does the work. Then they run in turn, so often.
"""

import argparse
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median as middle
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.cluster import kafka
from benchmarks.feature_stage.contestants import CONTESTANTS, PEERS_PYTHON, TICKCAST, Contestant
from benchmarks.feature_stage.latency import measure_latency
from benchmarks.feature_stage.logs import InputLog, input_log
from benchmarks.feature_stage.markets import market_for
from benchmarks.feature_stage.results import Measured, Result
from benchmarks.feature_stage.speed import measure_speed
from benchmarks.feature_stage.table import markdown, replaced
from benchmarks.feature_stage.verification import DifferentWorkError, verify
from benchmarks.stopwatch import Pace, median
from benchmarks.watched import EndedError

_TICKERS = (100, 1_000)
_LATENCY_TICKERS, _LATENCY_RATE = 500, 10_000.0

Logs = dict[tuple[Contestant, int], InputLog]


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-features", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each contestant, in rounds; the table has the medians")
    parser.add_argument("--seconds", type=float, default=4.0, help="of steady work in a run, at most")
    parser.add_argument("--latency-seconds", type=float, default=10.0, help="of each latency run")
    parser.add_argument("--latency-runs", type=int, default=3, help="of each contestant, at most --runs")
    parser.add_argument("--frame-ticks", type=int, default=256)
    parser.add_argument("--quick", action="store_true", help="short logs and runs: to see that it works")
    parser.add_argument("--only", default="", help="contestants whose names have this, for instance Quix")
    parser.add_argument("--write", type=Path, help="folder for the plot; FOLDER.md gets the table")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _all_logs(stack: ExitStack, address: str, contestants: list[Contestant], options: argparse.Namespace) -> Logs:
    """Fill a log for each shape of input and number of tickers."""
    logs: Logs = {}
    shapes: dict[tuple[str, bool, int], InputLog] = {}
    for tickers in _TICKERS:
        for contestant in contestants:
            shape = (contestant.input, contestant.flat, tickers)
            if shape not in shapes:
                _say(f"filling a log: {tickers:,} tickers, {contestant.input}{', flat' * contestant.flat}")
                market = market_for(contestant, tickers, options.frame_ticks, quick=options.quick)
                shapes[shape] = stack.enter_context(input_log(address, market, contestant))
            logs[contestant, tickers] = shapes[shape]
    return logs


def _speeds(logs: Logs, options: argparse.Namespace) -> Iterator[Result]:
    paces: dict[tuple[Contestant, int], list[Pace]] = defaultdict(list)
    order = sorted(logs, key=lambda key: (CONTESTANTS.index(key[0]), key[1]))
    for number in range(options.runs):
        for contestant, tickers in order if number % 2 == 0 else reversed(order):
            log = logs[contestant, tickers]
            pace = measure_speed(contestant, log, options.seconds)
            paces[contestant, tickers].append(pace)
            _say(f"run {number + 1}: {contestant.name}, {tickers:,} tickers: {pace.per_second:,.0f} ticks/s")
    for (contestant, tickers), timed in paces.items():
        pace = median(timed)
        yield Result(
            name=contestant.name,
            tickers=tickers,
            rounds=[each.per_second for each in timed],
            cpu_microseconds=pace.cpu_microseconds_each,
            memory_mebibytes=pace.memory_mebibytes,
            features_per_second=pace.others_per_second,
        )


def _two_workers(logs: Logs, options: argparse.Namespace) -> float | None:
    log = logs.get((TICKCAST, _TICKERS[0]))
    if log is None:
        return None
    ratios = []
    for _ in range(min(options.runs, 3)):
        one, two = (measure_speed(TICKCAST, log, options.seconds, workers=workers) for workers in (1, 2))
        ratios.append(two.per_second / one.per_second)
    return middle(ratios)


def _latencies(address: str, contestants: list[Contestant], options: argparse.Namespace) -> dict[str, float]:
    p99_ms: dict[str, list[float]] = defaultdict(list)
    for _ in range(min(options.runs, options.latency_runs)):
        for contestant in contestants:
            p99_ms[contestant.name].append(_p99_ms(address, contestant, options.latency_seconds))
    return {name: middle(values) for name, values in p99_ms.items()}


def _p99_ms(address: str, contestant: Contestant, seconds: float) -> float:
    """Give the latency of one run; infinite where a contestant does not keep up, and says nothing for minutes."""
    try:
        latency = measure_latency(contestant, address, _LATENCY_TICKERS, _LATENCY_RATE, seconds)
    except EndedError as error:
        _say(f"{contestant.name}, latency: {error}")
        return math.inf
    _say(f"{contestant.name}: p50 {latency.p50_ms:.0f} ms, p99 {latency.p99_ms:.0f} ms")
    return latency.p99_ms


def _measure(options: argparse.Namespace) -> Measured:
    contestants = [each for each in CONTESTANTS if options.only.lower() in each.name.lower()]
    with kafka() as address, ExitStack() as stack:
        for contestant in contestants:
            verify(contestant, address)
            _say(f"{contestant.name} does the work")
        logs = _all_logs(stack, address, contestants, options)
        results = list(_speeds(logs, options))
        two_workers = _two_workers(logs, options)
        p99_ms = _latencies(address, contestants, options)
    return Measured(
        runs=options.runs,
        seconds=options.seconds,
        cores=len(os.sched_getaffinity(0)),
        results=results,
        p99_ms=p99_ms,
        two_workers=two_workers,
    )


def _write(measured: Measured, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page, section = folder.with_suffix(".md"), markdown(measured)
    page.write_text(replaced(page.read_text(), section) if page.exists() else section)
    with TemporaryDirectory() as temporary:
        results = Path(temporary) / "results"
        results.write_bytes(msgspec.msgpack.encode(measured))
        picture = folder.resolve() / "feature-stage.png"
        command = [str(PEERS_PYTHON), "-m", "benchmarks.feature_stage.plot", str(results), str(picture)]
        subprocess.run(command, check=True)


def main() -> None:
    """Check, measure, print, write."""
    options = _parsed()
    if options.quick:
        options.seconds, options.latency_seconds = min(options.seconds, 3.0), min(options.latency_seconds, 5.0)
    try:
        measured = _measure(options)
    except (DifferentWorkError, EndedError) as error:
        sys.exit(f"make bench-features: {error}")
    print(markdown(measured))
    if options.write is not None:
        _write(measured, options.write)


if __name__ == "__main__":
    main()
