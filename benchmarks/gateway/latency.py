"""`python -m benchmarks.gateway.latency`: from a tick's publishing to a WebSocket client that has its prediction.

10,000 ticks a second of 500 tickers go through the feature stage, the predictor with all members and the gateway, on
one machine with Kafka. A tenth of the tickers trades about once a second, so that each of their ticks is due at once:
of the others the stage tells at its update interval, which is no delay of the system's. Only these are timed, by the
times that a prediction itself says: taken in, featured, predicted; and received.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
import numpy as np
import uvloop
from msgspec import Struct
from websockets.asyncio.client import connect

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.feeder import Feed
from benchmarks.full_states import fill_changelog
from benchmarks.predictions import announce, trained_set
from benchmarks.watched import watch
from deploy.kafka.ports import free_ports
from schemas.codec import decoder
from schemas.metrics import TICKERS_KNOWN
from schemas.sockets import SOCKET_PATH
from schemas.times import NS_PER_MILLISECOND, from_rfc3339

_PARTITIONS = 4
_TICKERS, _TICKS_PER_SECOND, _QUIET_SHARE = 500, 10_000.0, 0.1
_WARM_UP_SECONDS = 10.0
_FEED_AT_MOST_SECONDS = 900.0
_MODELS = Path("var/models").resolve()
_MOST_MS = {50: 60.0, 99: 200.0}
STAGES = ("tick taken in to feature made", "feature to prediction made", "prediction to client", "tick to client")


class _Heard(Struct):
    """What is looked at of a message."""

    type: str
    ingested_at: str = ""
    featured_at: str = ""
    predicted_at: str = ""
    degraded: str | None = None


@dataclass
class Latencies:
    """Milliseconds of each stage, and of all together, a row a prediction."""

    rows: list[tuple[float, ...]] = field(default_factory=list)

    def heard(self, message: _Heard, now_ns: int) -> None:
        """Take a prediction that has just come."""
        times = [from_rfc3339(text) for text in (message.ingested_at, message.featured_at, message.predicted_at)]
        passed = [*times, now_ns]
        steps = [after - before for before, after in pairwise(passed)]
        self.rows.append(tuple(step / NS_PER_MILLISECOND for step in [*steps, now_ns - times[0]]))

    def quantiles_ms(self) -> dict[str, dict[int, float]]:
        """Give p50 and p99 of each stage."""
        table = np.array(self.rows)
        return {
            name: {share: float(np.percentile(column, share)) for share in _MOST_MS}
            for name, column in zip(STAGES, table.T, strict=True)
        }


async def listen(address: str, tickers: list[str], seconds: float) -> Latencies:
    """Subscribe, and take what comes after the warm-up."""
    latencies, decode = Latencies(), decoder(_Heard)
    async with connect(f"ws://{address}{SOCKET_PATH}", max_size=None) as socket:
        await socket.send(json.dumps({"action": "subscribe", "tickers": tickers}))
        begin = time.monotonic() + _WARM_UP_SECONDS
        while time.monotonic() < begin + seconds:
            text = await socket.recv(decode=False)
            now_ns = time.time_ns()
            message = decode(text)
            if message.type == "prediction" and time.monotonic() >= begin:
                if message.degraded:
                    raise RuntimeError(f"not all members predict: {message.degraded}")
                latencies.heard(message, now_ns)
    return latencies


def measure(seconds: float) -> Latencies:
    """Start everything, and time a client for so long."""
    ports = free_ports()
    feed = Feed(_TICKERS, _TICKS_PER_SECOND, _FEED_AT_MOST_SECONDS, quiet_share=_QUIET_SHARE)
    with kafka() as address, fresh_topics(address, _PARTITIONS) as made, watch() as watching:
        settings = made.model_copy(update={"interval": "1d"})  # the models' own
        trained_set(_MODELS)
        announce(settings, _MODELS)
        fill_changelog(settings, feed.market(_PARTITIONS))  # only from full windows do all members predict
        port = next(ports)
        own = {"models_directory": _MODELS, "gateway_port": port, "update_interval_ms": 250, "model_max_age_bars": 0}
        variables = environment(settings, **own)
        for module in ("feature_stream", "predictor"):
            watching.module(module, variables | {"TICKCAST_METRICS_PORT": str(next(ports))})
        gateway = watching.module("gateway", variables | {"TICKCAST_METRICS_PORT": str(port)})
        watching.module("benchmarks.feeder", variables, *feed.arguments())
        gateway.wait_for(lambda: gateway.metric(TICKERS_KNOWN.name) >= _TICKERS, "a prediction of every ticker")
        gateway.wait_for(
            lambda: httpx.get(f"http://127.0.0.1:{port}/health/ready").is_success, "the gateway's end of reading"
        )
        quiet = [f"T{number:05d}" for number in range(0, _TICKERS, round(1 / _QUIET_SHARE))]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(listen(f"127.0.0.1:{gateway.port}", quiet, seconds))


def main() -> None:
    """Measure, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.latency", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    latencies = measure(options.seconds)
    found = latencies.quantiles_ms()
    print(f"{len(latencies.rows):,} predictions{'':22}" + "".join(f"{f'p{share} ms':>10}" for share in _MOST_MS))
    for name, quantiles in found.items():
        print(f"{name:40}" + "".join(f"{value:10.1f}" for value in quantiles.values()))
    kept = all(found[STAGES[-1]][share] < most for share, most in _MOST_MS.items())
    print("passed" if kept else f"wanted: {_MOST_MS}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
