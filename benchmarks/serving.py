"""`make bench-serving`: how long the models take for a whole market, on two cores and on one, and what they hold.

Beside them, in the same run, what scikit-learn and Keras take with their own `predict`. No two rows are alike.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.feature_log import varied_features
from benchmarks.predictions import trained_set
from schemas.codec import encode

_BATCHES = 20
_WANTED_MS = {2: 10.0, 1: 12.0}
_WANTED_SINGLE_MS = 0.3
_WANTED_MIB = 300.0
_ORIGINAL_PASSES = 60


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Let the processes that are started in the block have so many cores and no more."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def ask(module: str, *arguments: object) -> Any:
    """Start a module and give the JSON on its last line."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def _write_events(path: Path, count: int) -> None:
    with path.open("wb") as file:
        for event in varied_features(count):
            file.write(encode(event) + b"\n")


def _say(what: str, times: dict[str, float], wanted_ms: float | None = None) -> None:
    goal = "" if wanted_ms is None else f"   wanted {wanted_ms:g}: {'yes' if times['p99'] < wanted_ms else 'NO'}"
    print(f"{what:44}{times['p50']:10.3f}{times['p99']:10.3f}{goal}")


def _measure(model_set: Path, events: Path, rows: int, passes: int, cores: int) -> None:
    sizes = ("--rows", rows, "--passes", passes)
    with on_cores(cores):
        members = ask("serving_times", "members", model_set, events, *sizes)
        print(f"\n{cores} core{'s' * (cores > 1)}{'p50 ms':>48}{'p99 ms':>10}")
        for place, (name, times) in enumerate(members.items()):
            _say(f"{name}: {rows} tickers", times[str(rows)], _WANTED_MS.get(cores) if place == 0 else None)
            _say(f"{name}: one ticker", times["1"], _WANTED_SINGLE_MS if place == 0 else None)
        whole = ask("serving_times", "whole", model_set, events, *sizes)
        one = ask("serving_times", "whole", model_set, events, "--rows", 1, "--passes", passes)
    for name, times in whole.items():
        _say(f"whole predictions, {name}: {rows} tickers", times)
    _say("whole predictions, bytes to bytes: one ticker", one["bytes to bytes"])


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench-serving", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("var/models"), help="folder of model sets")
    parser.add_argument("--rows", type=int, default=500, help="tickers in one pass")
    parser.add_argument("--passes", type=int, default=600)
    parser.add_argument("--no-originals", action="store_true", help="leave scikit-learn and Keras out")
    options = parser.parse_args()
    model_set = trained_set(options.models.resolve()).folder
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "events.jsonl")
        _write_events(events, _BATCHES * options.rows)
        print(f"{model_set.name}, {options.passes} passes over {_BATCHES} batches; members together, then each alone")
        for cores in sorted({min(2, len(os.sched_getaffinity(0))), 1}, reverse=True):
            _measure(model_set, events, options.rows, options.passes, cores)
        if not options.no_originals:
            sizes = ("--rows", options.rows, "--passes", _ORIGINAL_PASSES)
            print(f"\nthe originals, all cores{'p50 ms':>30}{'p99 ms':>10}")
            for name, times in ask("serving_originals", events, *sizes).items():
                _say(f"{name}: {options.rows} tickers", times[str(options.rows)])
                _say(f"{name}: one ticker", times["1"])
        peak_mib = ask("serving_times", "memory", model_set, events, "--rows", options.rows, "--passes", 1)
    reached = "yes" if peak_mib < _WANTED_MIB else "NO"
    print(f"\nmost memory, all models loaded: {peak_mib:.0f} MiB   wanted {_WANTED_MIB:g}: {reached}")


if __name__ == "__main__":
    main()
