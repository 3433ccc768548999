"""`make bench-rest`: requests a second to `GET /predict/{ticker}`, beside a bare ASGI app that answers fixed bytes.

Three servers on one core, `wrk` on another, in turn: the bare app (uvicorn, the bytes of a prediction), the gateway
with authentication off, and the gateway with key and limits on. Medians of five rounds. Kafka and the feed, which
updates a few tickers all the time, share the cores. Exit code 0: at least 60 % and 40 % of the bare app.
"""

import argparse
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import SecretStr

from benchmarks.gateway.serving import Serving, serving
from benchmarks.watched import Watched
from deploy.kafka.ports import free_ports
from gateway.access.keys import make_key
from gateway.access.scopes import Scope
from gateway.access.store import KeyStore
from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings

_TICKERS = 500
_UPDATES_PER_SECOND = 100.0
_ROUNDS = 5
_SERVER_CORE, _GENERATOR_CORE = 0, 1
_PATH = "/predict/T00000"
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_START_SECONDS = 60.0
#: Higher than what one core can bring, so that every request is counted and none is refused.
_LIMITS: dict[str, object] = {"limit_key_per_second": 1_000_000, "limit_key_burst": 1_000_000}


@dataclass
class Contestant:
    """A server that is asked.

    Attributes:
        least: Share of the bare app's requests that it must take.
        rates: Requests a second, a round each.
    """

    name: str
    address: str
    least: float
    headers: Mapping[str, str] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)

    def ask(self, wrk: str, seconds: float) -> None:
        """Let `wrk` ask as much as it can.

        Raises:
            RuntimeError: An answer was an error.
        """
        headers = [word for name, value in self.headers.items() for word in ("-H", f"{name}: {value}")]
        pinned = ["taskset", "--cpu-list", str(_GENERATOR_CORE), wrk]
        command = [*pinned, "-t1", "-c64", f"-d{seconds:g}s", *headers, f"http://{self.address}{_PATH}"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if _FAILED.search(answer) or not (found := _RATE.search(answer)):
            raise RuntimeError(f"{self.name}: {answer}")
        self.rates.append(float(found[1]))

    def share_of(self, bare: "Contestant") -> float:
        """Compare the medians."""
        return statistics.median(self.rates) / statistics.median(bare.rates)

    def text(self, bare: "Contestant") -> str:
        """Give a line of the table."""
        rates = " ".join(f"{rate:,.0f}" for rate in self.rates)
        goal = f" (goal {self.least:.0%})" if self.least else ""
        median, share = statistics.median(self.rates), self.share_of(bare)
        return f"{self.name:24}{median:10,.0f} requests/s {share:6.0%}{goal:12} of: {rates}"


def _pin(watched: Watched) -> None:
    for thread in Path(f"/proc/{watched.process.pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {_SERVER_CORE})


def _get(address: str, headers: Mapping[str, str]) -> bytes:
    return httpx.get(f"http://{address}{_PATH}", headers=dict(headers), timeout=5).raise_for_status().content


def _answers(address: str, headers: Mapping[str, str]) -> bool:
    try:
        return bool(_get(address, headers))
    except httpx.HTTPError:
        return False


def _bare(served: Serving, folder: Path) -> Contestant:
    file, port = folder / "body", next(free_ports())
    file.write_bytes(_get(served.address, {}))
    bare = served.watching.module("benchmarks.gateway.bare_app", served.variables, str(port), str(file))
    bare.wait_for(lambda: _answers(f"127.0.0.1:{port}", {}), "the bare app", _START_SECONDS)
    _pin(bare)
    return Contestant("bare app, fixed bytes", f"127.0.0.1:{port}", 0.0)


def _guarded(served: Serving, folder: Path) -> Contestant:
    """Start a second gateway, which asks for a key and counts what it brings."""
    port, url = next(free_ports()), f"sqlite:///{folder / 'tickcast.db'}"
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(url)))
    migrate(engine)
    secret, key = make_key("bench", frozenset({Scope.READ}), time.time_ns())
    KeyStore(engine).add(key)
    engine.dispose()
    own = {"gateway_port": port, "metrics_port": port, "database_url": url, "auth_required": True}
    own |= {"token_key": secrets.token_urlsafe(32), **_LIMITS}
    variables = served.variables | {f"TICKCAST_{name.upper()}": str(value) for name, value in own.items()}
    gateway = served.watching.module("gateway", variables)
    headers = {"X-API-Key": secret}
    gateway.wait_for(lambda: _answers(f"127.0.0.1:{port}", headers), "the gateway with keys", _START_SECONDS)
    _pin(gateway)
    return Contestant("gateway, key and limits", f"127.0.0.1:{port}", 0.4, headers)


def main() -> None:
    """Measure, and judge."""
    parser = argparse.ArgumentParser(prog="make bench-rest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    options = parser.parse_args()
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("wrk is not here: apt install wrk")
    most_seconds = 60 + 4 * _ROUNDS * options.seconds
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(_TICKERS, _UPDATES_PER_SECOND, most_seconds) as served,
    ):
        _pin(served.gateway)
        bare = _bare(served, Path(folder))
        contestants = [bare, Contestant("gateway", served.address, 0.6), _guarded(served, Path(folder))]
        for number in range(_ROUNDS):
            for contestant in contestants if number % 2 else reversed(contestants):
                contestant.ask(wrk, options.seconds)
    print(*(contestant.text(bare) for contestant in contestants), sep="\n")
    sys.exit(0 if all(contestant.share_of(bare) >= contestant.least for contestant in contestants) else 1)


if __name__ == "__main__":
    main()
