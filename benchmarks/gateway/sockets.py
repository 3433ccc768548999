"""`make bench-sockets`: 1,000 and 5,000 WebSocket clients of 10 tickers each, and what ten stalled ones do to the rest.

Each ticker is updated once a second. A row says what came in a second, and how old a prediction was when it was read:
from made to read, over Kafka, the gateway and the socket. Clients, gateway, Kafka and feed share the machine.
"""

import argparse
import json
import statistics
import sys
from typing import Any

from benchmarks.gateway.serving import Serving, serving

_TICKERS = 500
_EACH = 10
_SECONDS = 20.0
_PAIRS = 5
_STALLED = 10


def measured(served: Serving, clients: int, deaf: int = 0) -> dict[str, Any]:
    """Let clients read for a while, and give what they got."""
    sizes = {"address": served.address, "clients": clients, "deaf": deaf, "each": _EACH, "tickers": _TICKERS}
    words = [f"--{name}={value}" for name, value in (sizes | {"seconds": _SECONDS}).items()]
    reader = served.watching.module("benchmarks.gateway.socket_reader", served.variables, *words)
    code = reader.process.wait()
    if code:
        raise RuntimeError(f"the readers ended with code {code}: {reader.words()}")
    answer: dict[str, Any] = json.loads(reader.log.read_text().splitlines()[-1])
    return answer


def row(what: str, got: dict[str, Any]) -> str:
    """Give a line of the table."""
    return f"{what:36}{got['per_second']:12,.0f}{got['p50_ms']:10.1f}{got['p99_ms']:10.1f}"


def stalled_pairs(served: Serving, clients: int) -> tuple[list[float], list[float]]:
    """Give the p99 of the readers without and with ten stalled ones beside them, in turn."""
    without, with_them = [], []
    for _ in range(_PAIRS):
        without.append(float(measured(served, clients)["p99_ms"]))
        with_them.append(float(measured(served, clients, deaf=_STALLED)["p99_ms"]))
    return without, with_them


def main() -> None:
    """Measure, and say whether stalled clients are noticed."""
    parser = argparse.ArgumentParser(prog="make bench-sockets", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1_000, 5_000], help="in hundreds")
    options = parser.parse_args()
    readings = len(options.clients) + 2 * _PAIRS
    most_seconds = readings * 3 * _SECONDS
    with serving(_TICKERS, float(_TICKERS), most_seconds, maximum_clients=2 * max(options.clients)) as served:
        print(f"{'':36}{'deliveries/s':>12}{'p50 ms':>10}{'p99 ms':>10}", flush=True)
        for clients in options.clients:
            print(row(f"{clients:,} clients", measured(served, clients)), flush=True)
        without, with_them = stalled_pairs(served, options.clients[0])
    before, after = statistics.median(without), statistics.median(with_them)
    unnoticed = after - before < max(2.0, 0.1 * before)
    print(f"p99 without and with {_STALLED} stalled clients, medians of {_PAIRS}: {before:.1f} and {after:.1f} ms")
    print("passed" if unnoticed else "the others notice the stalled clients")
    sys.exit(0 if unnoticed else 1)


if __name__ == "__main__":
    main()
