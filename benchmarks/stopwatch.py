"""How fast a process counts something that it shows in its metrics, and what CPU it takes for it."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY_SECONDS = 0.02
_GIVE_UP_SECONDS = 300.0
_TICKS_PER_CPU_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Pace:
    """One run."""

    per_second: float
    cpu_microseconds_each: float


def median(paces: list[Pace]) -> Pace:
    """Give the run in the middle, figure by figure."""
    return Pace(
        statistics.median(pace.per_second for pace in paces),
        statistics.median(pace.cpu_microseconds_each for pace in paces),
    )


def time_process(module: str, metric: str, total: int, port: int, environment: Mapping[str, str]) -> Pace:
    """Start `python -m MODULE` and time it from its first tenth of a metric to its last hundredth.

    Args:
        metric: A counter that rises to `total`.
        port: Where its `/metrics` will be.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module], env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            first = _wait(process, metric, total * 0.1, port)
            last = _wait(process, metric, total * 0.99, port)
        except TimeoutError as error:
            output.seek(0)
            raise TimeoutError(f"{error}\n{output.read().decode()[-4_000:]}") from None
        finally:
            process.terminate()
            process.wait(20)
    (count, at, cpu), (last_count, last_at, last_cpu) = first, last
    done = last_count - count
    return Pace(done / (last_at - at), (last_cpu - cpu) / done * 1e6)


def _wait(process: subprocess.Popen[bytes], metric: str, wanted: float, port: int) -> tuple[float, float, float]:
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        count = _read(metric, port)
        if count >= wanted:
            return count, time.monotonic(), _cpu_seconds(process.pid)
        if process.poll() is not None:
            raise TimeoutError(f"the process ended with code {process.returncode}")
        time.sleep(_LOOK_EVERY_SECONDS)
    raise TimeoutError(f"{metric} did not reach {wanted:g} within {_GIVE_UP_SECONDS:g} s")


def _read(metric: str, port: int) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0.0
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == metric)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_CPU_SECOND
