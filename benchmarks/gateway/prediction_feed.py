"""A process that keeps `predictions-latest` moving: `python -m benchmarks.gateway.prediction_feed --help`.

Predictions are real ones of all members, as large as in production. Every ticker is updated in turn, at a steady pace.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from confluent_kafka import Producer
from msgspec import structs

from benchmarks.feature_log import endless_features
from benchmarks.predictions import trained_set
from predictor.predict import predict
from schemas.codec import encode
from schemas.events import HorizonPrediction, Prediction
from schemas.settings import Settings
from schemas.topics import PREDICTIONS_LATEST

_HORIZONS = (1, 5, 21)
#: What prices are multiplied by, round after round: each is another one on a page.
_WALK = (1.0, 1.004, 1.009, 0.995)


def market(tickers: int, models: Path) -> list[Prediction]:
    """Give a prediction of each ticker, T00000 and so on, by the newest set of a folder."""
    events = list(islice(endless_features(tickers), tickers))
    return list(predict(events, trained_set(models), _HORIZONS, time.time_ns()).predictions)


def updates(predictions: list[Prediction]) -> Iterator[Prediction]:
    """Yield provisional predictions for ever, each ticker in turn, of a tick that came now; the market moves."""
    rounds = [[_moved(prediction, by) for prediction in predictions] for by in _WALK]  # beforehand: the pace holds
    for number in count(1):
        turn, ticker = divmod(number, len(predictions))
        before, now_ns = rounds[turn % len(rounds)][ticker], time.time_ns()
        offset = before.source_offset + number
        yield structs.replace(
            before, id=f"{before.id}/{offset}", source_offset=offset, ingested_at_ns=now_ns, predicted_at_ns=now_ns
        )


def _moved(prediction: Prediction, by: float) -> Prediction:
    bar, price = prediction.bar, prediction.current_price * by
    if bar is not None:
        bar = structs.replace(bar, close=price, high=max(bar.high, price), low=min(bar.low, price))
    horizons = [_moved_target(horizon, by) for horizon in prediction.horizons]
    return structs.replace(prediction, current_price=price, bar=bar, horizons=horizons, provisional=True)


def _moved_target(horizon: HorizonPrediction, by: float) -> HorizonPrediction:
    confidence = min(1.0, horizon.confidence * by)
    return structs.replace(horizon, price_target=horizon.price_target * by, confidence=confidence)


def feed(settings: Settings, tickers: int, rate: float, seconds: float, models: Path) -> None:
    """Give each ticker a prediction at once, and then updates until the time is over; the mean rate holds.

    Args:
        settings: Where to.
        tickers: Of the market.
        rate: Updates a second, over all of them.
        seconds: How long.
        models: Folder of model sets.
    """
    producer = Producer(settings.kafka_config() | {"linger.ms": 1, "partitioner": "murmur2_random"})
    name = settings.topic_prefix + PREDICTIONS_LATEST.name
    first = market(tickers, models)
    for prediction in first:
        producer.produce(name, encode(prediction), prediction.ticker.encode())
    producer.flush(60)
    began, made = time.monotonic(), updates(first)
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        prediction = next(made)  # after the wait: it says when it was made
        producer.produce(name, encode(prediction), prediction.ticker.encode())
        producer.poll(0)
    producer.flush(60)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.prediction_feed", description=__doc__)
    parser.add_argument("--tickers", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="updates a second, over all tickers")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--models", type=Path, default=Path("var/models"), help="folder of model sets")
    options = parser.parse_args()
    feed(Settings(_env_file=None), options.tickers, options.rate, options.seconds, options.models)
