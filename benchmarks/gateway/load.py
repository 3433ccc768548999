"""`make load`: 500 users with a second to think between two requests, over REST, for five minutes.

Passes where fewer than 0.1 % of the requests fail, 95 % of all are answered within 100 ms, and of `/health` within
20 ms, and where the database is spared more than 80 % of what history is asked. Exit code 0: passed, 1: not. Users,
server, Kafka and the feed of predictions share the machine.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.gateway.recorded import recorded
from benchmarks.gateway.serving import serving
from benchmarks.gateway.visitors import TICKERS

_UPDATES_PER_SECOND = 1_000.0
_MOST_FAILED = 0.001
_MOST_MS = 100.0
_HEALTH, _MOST_HEALTH_MS = "/health", 20.0
_LEAST_HITS = 0.8
#: Of history, that is there for every ticker.
_DAYS = 60
_MIB = 2**20
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Answers:
    """What came of the requests to one path.

    Attributes:
        milliseconds: How many took so long; locust rounds to whole ones, and above 100 to two digits.
    """

    name: str
    failed: int
    milliseconds: Mapping[int, int]

    @property
    def requests(self) -> int:
        """Count them."""
        return sum(self.milliseconds.values())

    def quantile_ms(self, share: float) -> float:
        """Give a quantile by nearest rank; 0 without requests."""
        left = math.ceil(share * self.requests)
        for value, count in sorted(self.milliseconds.items()):
            left -= count
            if left <= 0:
                return value
        return 0.0

    def text(self) -> str:
        """Give a line of the table."""
        quantiles = (self.quantile_ms(share) for share in (0.5, 0.95, 0.99))
        return f"{self.name:32}{self.requests:10,}{self.failed:8,}" + "".join(f"{value:8.0f}" for value in quantiles)


def read_answers(entries: Sequence[Mapping[str, Any]]) -> list[Answers]:
    """Read locust's statistics, a path each."""
    return [
        Answers(
            str(entry["name"]),
            int(entry["num_failures"]),
            {int(float(value)): int(count) for value, count in entry["response_times"].items()},
        )
        for entry in entries
    ]


def together(answers: Sequence[Answers]) -> Answers:
    """Add all up."""
    times: Counter[int] = Counter()
    for each in answers:
        times.update(each.milliseconds)
    return Answers("all", sum(each.failed for each in answers), times)


def faults(answers: Sequence[Answers]) -> list[str]:
    """Say what does not hold."""
    everything = together(answers)
    found = []
    if everything.failed > _MOST_FAILED * everything.requests:
        found.append(f"{everything.failed:,} of {everything.requests:,} requests failed, more than {_MOST_FAILED:.1%}")
    if (slow := everything.quantile_ms(0.95)) > _MOST_MS:
        found.append(f"p95 is {slow:g} ms, more than {_MOST_MS:g}")
    health = next((each.quantile_ms(0.95) for each in answers if each.name == _HEALTH), math.inf)
    if health > _MOST_HEALTH_MS:
        found.append(f"p95 of {_HEALTH} is {health:g} ms, more than {_MOST_HEALTH_MS:g}")
    return found


def visit(address: str, users: int, minutes: float) -> list[Answers]:
    """Let users come, and give what they got."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "locust"
        command = (
            *(sys.executable, "-m", "locust", "--locustfile", str(Path(__file__).with_name("visitors.py"))),
            *("--headless", "--only-summary", "--users", str(users), "--spawn-rate", str(max(1, users // 10))),
            *("--run-time", f"{60 * minutes:.0f}s", "--host", f"http://{address}", "--json-file", str(results)),
            *("--reset-stats", "--exit-code-on-error", "0"),
        )
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return read_answers(json.loads(results.with_suffix(".json").read_text()))


def main() -> None:
    """Visit, and judge."""
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own = {"database_url": recorded(Path(folder), TICKERS, _DAYS)}
        with serving(TICKERS, _UPDATES_PER_SECOND, 60 * options.minutes + _START_SECONDS, **own) as served:
            answers = visit(served.address, options.users, options.minutes)
            memory_mib = served.gateway.resident_bytes() / _MIB
            figures = httpx.get(f"http://{served.address}/performance/metrics").raise_for_status().json()
    print(f"{'path':32}{'requests':>10}{'failed':>8}{'p50 ms':>8}{'p95':>8}{'p99':>8}")
    print(*(each.text() for each in [*answers, together(answers)]), sep="\n")
    print(f"the gateway held {memory_mib:.0f} MiB at the end")
    hit_rate = figures["cache"]["database"]["*"]["hit_rate"]
    print(f"{hit_rate:.0%} of what the database is asked came out of the cache (wanted: more than {_LEAST_HITS:.0%})")
    found = faults(answers) + ([f"only {hit_rate:.0%} hits"] if hit_rate <= _LEAST_HITS else [])
    print(*(found or ["passed"]), sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
