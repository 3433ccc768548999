"""A process that feeds `features` with final events at a steady pace: `python -m benchmarks.feature_feeder --help`.

A whole market closes a bar at once, as it does live: all tickers together, again and again.
"""

import argparse
import time

from confluent_kafka import Producer

from benchmarks.feature_log import endless_features
from schemas.codec import encode
from schemas.settings import Settings
from schemas.topics import FEATURES


def feed(settings: Settings, tickers: int, rate: float, seconds: float) -> None:
    """Feed until the time is over; what is overdue is sent at once, so the mean rate holds.

    Args:
        settings: Where to.
        tickers: Of the market.
        rate: Events a second, over all of them.
        seconds: How long.
    """
    producer = Producer(settings.kafka_config() | {"linger.ms": 5, "partitioner": "murmur2_random"})
    name = settings.topic_prefix + FEATURES.name
    began = time.monotonic()
    for number, event in enumerate(endless_features(tickers)):
        if number % tickers == 0:
            due_seconds = number / rate
            if due_seconds >= seconds:
                break
            time.sleep(max(0.0, began + due_seconds - time.monotonic()))
        producer.produce(name, encode(event), event.ticker.encode())
        producer.poll(0)
    producer.flush(60)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feature_feeder", description=__doc__)
    parser.add_argument("--tickers", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="events a second")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    feed(Settings(_env_file=None), options.tickers, options.rate, options.seconds)
