"""`make bench-sockets`: 1,000 and 5,000 WebSocket clients of 10 tickers each, what ten stalled ones do to the rest, and
the most that is delivered, beside `websockets.broadcast()`.

Each ticker is updated once a second. A row says what came in a second, and how old a prediction was when it was read:
from made to read, over Kafka, the gateway and the socket. Clients, gateway, Kafka and feed share the machine. For the
most that is delivered all clients ask for the same ten tickers, which are updated more often than can be sent.
"""

import argparse
import json
import os
import socket
import statistics
import sys
import time
from contextlib import suppress
from typing import Any

import httpx

from benchmarks.gateway.serving import Serving, serving
from benchmarks.watched import START_SECONDS, Watch, watch
from deploy.kafka.ports import free_ports

_TICKERS = 500
_EACH = 10
_SECONDS = 20.0
_PAIRS = 5
_STALLED = 10
#: Updates a second to each of the clients: more than any server here can send.
_OVERLOAD = 400.0


def measured(watching: Watch, address: str, clients: int, *, deaf: int = 0, tickers: int = _TICKERS) -> dict[str, Any]:
    """Let clients read for a while, and give what they got; those that read stay, and every deaf one is ended."""
    sizes = {"address": address, "clients": clients, "deaf": deaf, "each": _EACH, "tickers": tickers}
    words = [f"--{name}={value}" for name, value in (sizes | {"seconds": _SECONDS}).items()]
    reader = watching.module("benchmarks.gateway.socket_reader", os.environ, *words)
    code = reader.process.wait()
    if code:
        raise RuntimeError(f"the readers ended with code {code}: {reader.words()}")
    answer: dict[str, Any] = json.loads(reader.log.read_text().splitlines()[-1])
    if answer["closed"] or answer["stalled"] != deaf:
        raise RuntimeError(f"{answer['closed']} of those that read were ended, and of {deaf} deaf {answer['stalled']}")
    return answer


def row(what: str, got: dict[str, Any]) -> str:
    """Give a line of the table."""
    return f"{what:36}{got['per_second']:12,.0f}{got['p50_ms']:10.1f}{got['p99_ms']:10.1f}"


def stalled_pairs(served: Serving, clients: int) -> tuple[list[float], list[float]]:
    """Give the p99 of the readers without and with ten stalled ones beside them, in turn."""
    without, with_them = [], []
    for _ in range(_PAIRS):
        without.append(float(measured(served.watching, served.address, clients)["p99_ms"]))
        with_them.append(float(measured(served.watching, served.address, clients, deaf=_STALLED)["p99_ms"]))
    return without, with_them


def most_delivered(clients: int) -> None:
    """Print what the gateway delivers when there is always more to deliver, and what its peer does."""
    own: dict[str, object] = {"maximum_clients": 2 * clients, "client_stall_seconds": 60}
    with serving(_EACH, _OVERLOAD, 4 * _SECONDS, **own) as served:
        body = httpx.get(f"http://{served.address}/predict/T00000").raise_for_status().content
        print(row("the most: gateway", measured(served.watching, served.address, clients, tickers=_EACH)), flush=True)
    port = next(free_ports())
    with watch() as watching:
        sizes = (f"--port={port}", f"--rate={_OVERLOAD}", f"--bytes={len(body)}")
        watching.module("benchmarks.gateway.broadcasting", os.environ, *sizes)
        _wait_until_open(port)
        got = measured(watching, f"127.0.0.1:{port}", clients, tickers=_EACH)
        print(row(f"the most: broadcast(), {len(body)} bytes", got), flush=True)


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}")


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
            got = measured(served.watching, served.address, clients)
            print(row(f"{clients:,} clients", got), flush=True)
        without, with_them = stalled_pairs(served, options.clients[0])
    most_delivered(options.clients[0])
    before, after = statistics.median(without), statistics.median(with_them)
    unnoticed = after - before < max(2.0, 0.1 * before)
    print(f"p99 without and with {_STALLED} stalled clients, medians of {_PAIRS}: {before:.1f} and {after:.1f} ms")
    print("passed" if unnoticed else "the others notice the stalled clients")
    sys.exit(0 if unnoticed else 1)


if __name__ == "__main__":
    main()
