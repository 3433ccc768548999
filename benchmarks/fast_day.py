"""A whole trading day at 60 times its speed: minute bars of a fake Alpaca in, predictions out, and how it fared.

`python -m benchmarks.fast_day`: 390 minutes in six and a half, on a Kafka of its own or that of `TICKCAST_BENCH_KAFKA`.
The ingestor's parts run here, on a clock of their own; the feature stage and the predictor are processes as ever.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.topic_tools import messages
from benchmarks.watched import EndedError, Watch, watch
from deploy.kafka.ports import free_ports
from ingestor.settings import IngestorSettings
from schemas.codec import decoder
from schemas.events import Prediction
from schemas.settings import Settings
from schemas.times import NS_PER_SECOND, from_rfc3339
from schemas.topics import PREDICTIONS
from tests.ingestor.fast_day import TICKERS, FastDay, fast_day
from tests.ingestor.live_play import MINUTE_NS

_PARTITIONS = 4
_DAY_BEFORE_NS, _OPEN_NS = from_rfc3339("2026-11-24T14:30:00Z"), from_rfc3339("2026-11-25T14:30:00Z")
_SESSION_MINUTES = 390
_WARM_UP_BARS = 250
#: As in production; at 60 times the speed, two seconds.
_MUTE_SECONDS = 120.0
_SILENT_HOURS = 2
_WAIT_SECONDS = 60.0

_decode = decoder(Prediction)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.fast_day", description="Play a trading day faster than it was.")
    parser.add_argument("--speed", type=float, default=60.0, help="times that of the clock (60)")
    parser.add_argument("--minutes", type=int, default=_SESSION_MINUTES, help="only the last so many of the session")
    given = parser.parse_args()
    with kafka() as address, fresh_topics(address, _PARTITIONS) as settings, watch() as watching:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(_play(settings, watching, Path(folder), given.speed, given.minutes))


async def _play(settings: Settings, watching: Watch, folder: Path, speed: float, minutes: int) -> None:
    for name in ("feature_stream", "predictor"):
        watching.module(name, environment(settings, metrics_port=next(free_ports())))
    first_ns = _OPEN_NS + (_SESSION_MINUTES - minutes) * MINUTE_NS
    begin_ns = first_ns - 50 * NS_PER_SECOND
    async with fast_day(folder, begin_ns, warm_up_bars=_WARM_UP_BARS, mute_seconds=_MUTE_SECONDS) as day:
        day.happened(_DAY_BEFORE_NS, _SESSION_MINUTES)
        day.happened(_OPEN_NS, _SESSION_MINUTES - minutes)
        named = settings.model_dump(include={"kafka_bootstrap_servers", "topic_prefix", "partitions", "interval"})
        async with day.ingested(IngestorSettings(_env_file=None, **named, source="alpaca", tickers=TICKERS)):
            await _wait_for_predictions(settings, first_ns)
            day.clock.run_at(speed)
            await day.trade(first_ns, minutes)
            await day.pass_until(day.clock() + _SILENT_HOURS * 3_600 * NS_PER_SECOND)
    _report(settings, day, first_ns, minutes)


async def _wait_for_predictions(settings: Settings, before_ns: int) -> None:
    """Wait until the bars before the day are behind; so services are ready, too."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not await asyncio.to_thread(lambda: any(one.as_of_ns <= before_ns for one in _predictions(settings))):
        if time.monotonic() > deadline:
            raise EndedError(f"no prediction within {_WAIT_SECONDS:g} s")


def _predictions(settings: Settings) -> list[Prediction]:
    return [_decode(message.value()) for message in messages(settings, PREDICTIONS)]


def _report(settings: Settings, day: FastDay, first_ns: int, minutes: int) -> None:
    starts_ns = range(first_ns, first_ns + minutes * MINUTE_NS, MINUTE_NS)
    wanted = {(ticker, start_ns + MINUTE_NS) for ticker in TICKERS for start_ns in starts_ns}
    made = {(one.ticker, one.as_of_ns): one for one in reversed(_predictions(settings))}
    closed_by = {start_ns: day.sent_at_ns[start_ns] for start_ns in starts_ns[1:]}  # a bar closes with the next one's
    lags = [
        (made[ticker, start_ns].predicted_at_ns - sent_ns) / NS_PER_SECOND
        for start_ns, sent_ns in closed_by.items()
        for ticker in TICKERS
        if (ticker, start_ns) in made
    ]
    print(f"{minutes} minutes of {len(TICKERS)} tickers, and {_SILENT_HOURS} hours after the close")
    print(f"bars predicted: {len(wanted & made.keys())} of {len(wanted)}")
    print(f"from the bar that closes another to its prediction: {_quantiles(lags)}")
    mute = day.play.count("tickcast_source_connections_lost_total", reason="mute")
    print(f"connections: {day.fake.connections}, of them lost for muteness: {mute:g}")
    print(f"complaints of its health: {', '.join(sorted(day.troubles)) or 'none'}")


def _quantiles(seconds: list[float]) -> str:
    p50, p99 = np.quantile(seconds, (0.5, 0.99))
    return f"p50 {p50 * 1_000:.0f} ms, p99 {p99 * 1_000:.0f} ms, at most {max(seconds) * 1_000:.0f} ms"


if __name__ == "__main__":
    main()
