"""Predictions per second through the predictor beside a plain loop, and batches per second of the models alone."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.cluster import environment, fresh_topics
from benchmarks.feature_log import fill_features, real_features
from benchmarks.stopwatch import Pace, median, time_process
from deploy.kafka.ports import free_ports
from predictor.artifacts import ModelSet, find_model_sets, load_model_set
from predictor.predict import predict
from schemas.events import Features
from schemas.metrics import PREDICTIONS_MADE
from schemas.settings import Settings

_HORIZONS = (1, 5, 21)
_PARTITIONS = 4
_MODULES = {"predictor": "predictor", "bare confluent-kafka loop": "benchmarks.bare_predictor"}


def trained_set(directory: Path) -> ModelSet:
    """Give the newest set of a folder; train one where there is none."""
    if not find_model_sets(directory):
        subprocess.run(
            [sys.executable, "-m", "predictor.training", "train"],
            env=environment(Settings(_env_file=None), models_directory=directory),
            check=True,
        )
    folder, _ = find_model_sets(directory)[0]
    return load_model_set(folder, interval="1d", horizons=_HORIZONS)


def batch_seconds(model_set: ModelSet, sizes: tuple[int, ...], runs: int) -> dict[int, float]:
    """Time one whole prediction of a batch, fresh rows each time, by batch size; medians."""
    seconds = {}
    for size in sizes:
        events = real_features(size * runs)
        seconds[size] = statistics.median(_one_batch(model_set, size, events) for _ in range(runs))
    return seconds


def _one_batch(model_set: ModelSet, size: int, events: Iterator[Features]) -> float:
    batch = list(islice(events, size))
    began = time.perf_counter()
    predict(batch, model_set, _HORIZONS, 0)
    return time.perf_counter() - began


def announce(settings: Settings, directory: Path) -> None:
    """Write the newest set of a folder to `models`."""
    variables = environment(settings, models_directory=directory, metrics_port=0)
    subprocess.run(
        [sys.executable, "-m", "predictor.training", "ensure"], env=variables, check=True, capture_output=True
    )


def measure(address: str, directory: Path, count: int, runs: int) -> dict[str, Pace]:
    """Time both loops, in turn, so often, on the same log; medians."""
    paces: dict[str, list[Pace]] = {name: [] for name in _MODULES}
    for _ in range(runs):
        for name, module in _MODULES.items():
            with fresh_topics(address, _PARTITIONS) as made:
                settings = made.model_copy(update={"interval": "1d"})
                fill_features(settings, count)
                if name == "predictor":
                    announce(settings, directory)
                variables = environment(settings, metrics_port=next(free_ports()), models_directory=directory)
                paces[name].append(time_process(module, PREDICTIONS_MADE.name, count, variables))
    return {name: median(timed) for name, timed in paces.items()}
