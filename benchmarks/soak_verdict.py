"""What the samples of a soak say. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_WARM_UP_SHARE = 0.2
_MOST_MEMORY_RISE_MIB = 10.0
_LEAST_RATE_SHARE = 0.98
_MIB = 2**20


@dataclass(frozen=True)
class Sample:
    """How things stood at one moment."""

    at_seconds: float
    done_total: float
    lag_records: float
    resident_bytes: int
    disk_bytes: int

    def text(self) -> str:
        """Say it in a line."""
        return (
            f"{self.at_seconds / 60:6.1f} min {self.done_total:14,.0f} done {self.lag_records:8,.0f} waiting "
            f"{self.resident_bytes / _MIB:8.1f} MiB memory {self.disk_bytes / _MIB:8,.0f} MiB disk"
        )


@dataclass(frozen=True)
class Verdict:
    """One thing that was judged."""

    passed: bool
    what: str

    def text(self) -> str:
        """Say it in a line."""
        return f"{'passed' if self.passed else 'FAILED'}: {self.what}"


def verdicts(
    samples: Sequence[Sample],
    rate: float,
    records_per_second: float,
    most_disk_bytes: float,
    most_memory_mib: float = math.inf,
) -> list[Verdict]:
    """Judge the samples after the warm-up.

    Args:
        samples: In order of time.
        rate: Work a second that was fed.
        records_per_second: Records a second that it came in.
        most_disk_bytes: What retention allows.
        most_memory_mib: That may be held at any time, the warm-up included.
    """
    settled = [sample for sample in samples if sample.at_seconds >= _WARM_UP_SHARE * samples[-1].at_seconds]
    hours = (settled[-1].at_seconds - settled[0].at_seconds) / 3_600
    done = (settled[-1].done_total - settled[0].done_total) / hours / 3_600
    memory = _rise(settled, [sample.resident_bytes / _MIB for sample in settled])
    lag = _rise(settled, [sample.lag_records for sample in settled])
    last_lag = statistics.median(sample.lag_records for sample in settled[-9:])
    disk = max(sample.disk_bytes for sample in samples)
    most_mib = max(sample.resident_bytes for sample in samples) / _MIB
    return [
        Verdict(done >= _LEAST_RATE_SHARE * rate, f"{done:,.0f} a second of {rate:,.0f} that were fed"),
        Verdict(
            memory <= _MOST_MEMORY_RISE_MIB,
            f"memory rises by {memory:+.1f} MiB in {60 * hours:.0f} minutes, {memory / hours:+.1f} MiB an hour "
            f"(at most {_MOST_MEMORY_RISE_MIB:g} MiB)",
        ),
        Verdict(most_mib <= most_memory_mib, f"at most {most_mib:.1f} MiB of memory ({most_memory_mib:g} allowed)"),
        Verdict(
            max(lag, last_lag) <= records_per_second,
            f"lag rises by {lag:+.0f} records, and is {last_lag:.0f} at the end (at most {records_per_second:.0f}, "
            "what comes in a second)",
        ),
        Verdict(
            disk <= most_disk_bytes,
            f"at most {disk / _MIB:,.0f} MiB of disk ({most_disk_bytes / _MIB:,.0f} allowed)",
        ),
    ]


def _rise(samples: Sequence[Sample], values: Sequence[float]) -> float:
    """Give how far the least-squares line goes up from the first sample to the last."""
    line = statistics.linear_regression([sample.at_seconds for sample in samples], values)
    return line.slope * (samples[-1].at_seconds - samples[0].at_seconds)
