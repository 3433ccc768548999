"""A whole trading day at 60 times its speed: minute bars of a fake Alpaca in, predictions out, and how it fared.

`python -m benchmarks.fast_day`: 390 minutes in six and a half, on a Kafka of its own or that of `TICKCAST_BENCH_KAFKA`.
The ingestor's parts run here, on a clock of their own; the feature stage and the predictor are processes as ever.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.cluster import kafka
from benchmarks.watched import Watch, watch
from deploy.kafka.ports import free_ports
from ingestor.settings import IngestorSettings
from schemas.events import Prediction
from schemas.times import NS_PER_SECOND, from_rfc3339
from schemas.topics import PREDICTIONS
from tests.brokers import BrokerUnderTest, Server
from tests.ingestor.fast_day import TICKERS, FastDay, fast_day
from tests.ingestor.live_play import MINUTE_NS

_DAY_BEFORE_NS, _OPEN_NS = from_rfc3339("2026-11-24T14:30:00Z"), from_rfc3339("2026-11-25T14:30:00Z")
_SESSION_MINUTES = 390
_WARM_UP_BARS = 250
#: At 60 times the speed, five seconds: this machine may be busy with something else for so long.
_MUTE_SECONDS = 300.0
_SILENT_HOURS, _SPEED_AFTER = 2, 600
_SETTLE_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.fast_day", description="Play a trading day faster than it was.")
    parser.add_argument("--speed", type=float, default=60.0, help="times that of the clock (60)")
    parser.add_argument("--minutes", type=int, default=_SESSION_MINUTES, help="only the first so many of the session")
    given = parser.parse_args()
    with kafka() as address, watch() as watching, tempfile.TemporaryDirectory() as folder:
        broker = BrokerUnderTest(Server(address, embedded=False))
        broker.create_topics()
        try:
            asyncio.run(_play(broker, watching, Path(folder), given.speed, given.minutes))
        finally:
            broker.delete_topics()


async def _play(broker: BrokerUnderTest, watching: Watch, folder: Path, speed: float, minutes: int) -> None:
    for name in ("feature_stream", "predictor"):
        variables = broker.environment(interval="1m", metrics_port=next(free_ports()))
        watching.module(name, {**os.environ, **variables})
    begin_ns = _OPEN_NS - 50 * NS_PER_SECOND
    async with fast_day(folder, begin_ns, warm_up_bars=_WARM_UP_BARS, mute_seconds=_MUTE_SECONDS) as day:
        day.happened(_DAY_BEFORE_NS, _SESSION_MINUTES)
        settings = broker.settings(IngestorSettings, source="alpaca", tickers=TICKERS, interval="1m")
        async with day.ingested(settings):
            await asyncio.to_thread(broker.read, PREDICTIONS, _WARM_UP_BARS)
            day.clock.run_at(speed)
            await day.trade(_OPEN_NS, minutes)
            day.clock.run_at(_SPEED_AFTER if minutes == _SESSION_MINUTES else 0)
            if minutes == _SESSION_MINUTES:
                await day.pass_until(day.clock() + _SILENT_HOURS * 3_600 * NS_PER_SECOND)
            await asyncio.sleep(_SETTLE_SECONDS)
    made = [record.event() for record in broker.read(PREDICTIONS)]
    _report(made, day, minutes)


def _report(predictions: list[Prediction], day: FastDay, minutes: int) -> None:
    starts_ns = range(_OPEN_NS, _OPEN_NS + minutes * MINUTE_NS, MINUTE_NS)
    wanted = {(ticker, start_ns + MINUTE_NS) for ticker in TICKERS for start_ns in starts_ns}
    made = {(one.ticker, one.as_of_ns): one for one in reversed(predictions)}
    closed_by = {start_ns: day.sent_at_ns[start_ns] for start_ns in starts_ns[1:]}  # a bar closes with the next one's
    lags = [
        (made[ticker, start_ns].predicted_at_ns - sent_ns) / NS_PER_SECOND
        for start_ns, sent_ns in closed_by.items()
        for ticker in TICKERS
        if (ticker, start_ns) in made
    ]
    after = f", and {_SILENT_HOURS} hours after the close" if minutes == _SESSION_MINUTES else ""
    print(f"{minutes} minutes of {len(TICKERS)} tickers{after}")
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
