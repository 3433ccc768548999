"""`python -m benchmarks.forecasts`: from sending a request to holding its answer, over Kafka, as a caller sees it.

The predictor is a process of its own, with the models of `--models` (trained where there are none). With
`--features` it answers so many feature events meanwhile, as fast as it can.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.feature_log import fill_features
from benchmarks.predictions import trained_set
from deploy.kafka.ports import free_ports
from schemas.codec import decoder, encode
from schemas.events import Forecast, ForecastRequest
from schemas.settings import Settings
from schemas.topics import FORECAST_REQUESTS, FORECASTS

_START_SECONDS = 60.0
_ANSWER_SECONDS = 30.0


class Caller:
    """Sends a request and waits for its answer, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._requests = settings.topic_prefix + FORECAST_REQUESTS.name
        self._producer = Producer(settings.kafka_config() | {"linger.ms": 0})
        self._consumer = Consumer(settings.kafka_config() | {"group.id": "caller", "enable.auto.commit": False})
        self._consumer.assign([TopicPartition(settings.topic_prefix + FORECASTS.name, 0, OFFSET_END)])
        self._consumer.poll(1.0)
        self._decode = decoder(Forecast)

    def ask(self, request: ForecastRequest, within_seconds: float) -> tuple[Forecast, float]:
        """Give the answer and how long it took."""
        began = time.perf_counter()
        self._producer.produce(self._requests, encode(request), request.id.encode())
        self._producer.flush(within_seconds)
        while time.perf_counter() - began < within_seconds:
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None and message.key() == request.id.encode():
                return self._decode(message.value()), time.perf_counter() - began
        raise TimeoutError(f"{request.id} was not answered within {within_seconds:g} s")


def a_request(name: str, closes: int, random: np.random.Generator) -> ForecastRequest:
    """Give a request of so many closes, no two alike."""
    prices = 100.0 * np.exp(np.cumsum(0.02 * random.standard_normal(closes)))
    return ForecastRequest(id=name, interval="1d", bars=[], closes=prices.tolist(), requested_at_ns=time.time_ns())


def measure(settings: Settings, counts: list[int], requests: int, pause_seconds: float) -> None:
    """Ask one after the other, and print how long it took."""
    caller, random = Caller(settings), np.random.default_rng(0)
    caller.ask(a_request("first", 64, random), _START_SECONDS)
    print(f"{'closes':>8}{'p50 ms':>10}{'p99 ms':>10}{'worst':>10}   answered by")
    for closes in counts:
        seconds, kinds = [], Counter[str]()
        for number in range(requests):
            said, taken = caller.ask(a_request(f"{closes}-{number}", closes, random), _ANSWER_SECONDS)
            seconds.append(taken)
            kinds[said.error or said.models[0].name] += 1
            time.sleep(pause_seconds)
        tail = statistics.quantiles(seconds, n=100)[98]
        milliseconds = (1e3 * each for each in (statistics.median(seconds), tail, max(seconds)))
        print(f"{closes:8}" + "".join(f"{each:10.1f}" for each in milliseconds) + f"   {dict(kinds)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("var/models"), help="folder of model sets")
    parser.add_argument("--untrained", action="store_true", help="without models: the statistical forecaster answers")
    parser.add_argument("--features", type=int, default=0, help="feature events that the predictor answers meanwhile")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--pause-ms", type=float, default=10.0, help="between an answer and the next request")
    options = parser.parse_args()
    directory = options.models.resolve()
    if not options.untrained:
        trained_set(directory)
    with kafka() as address, fresh_topics(address, 4) as made:
        settings = made.model_copy(update={"interval": "1d"})
        variables = environment(settings, metrics_port=next(free_ports()), models_directory=directory)
        if not options.untrained:
            ensure = [sys.executable, "-m", "predictor.training", "ensure"]
            subprocess.run(ensure, env=variables | {"TICKCAST_METRICS_PORT": "0"}, check=True, capture_output=True)
        with subprocess.Popen([sys.executable, "-m", "predictor"], env=variables) as predictor:
            try:
                if options.features:
                    fill_features(settings, options.features)
                measure(settings, [21, 64, 10_000], options.requests, options.pause_ms / 1_000)
            finally:
                predictor.terminate()


if __name__ == "__main__":
    main()
