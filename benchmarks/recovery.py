"""`make bench-recovery`: from the kill of a worker under load to being caught up, by tickers and way of keeping state.

Every ticker has a full window. Beside it, what the changelog takes per ticker, before and after compaction.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.changelog_size import ChangelogSize, changelog_sizes
from benchmarks.cluster import fresh_topics, kafka
from benchmarks.feeder import Feed
from benchmarks.full_states import fill_changelog
from benchmarks.takeover import Setup, Takeover, take_over
from benchmarks.watched import watch

_PARTITIONS = 4

SETUPS = (
    Setup("memory, started again", "memory", 1, 0),
    Setup("RocksDB, started again", "rocksdb", 1, 0),
    Setup("memory, another takes over", "memory", 2, 0),
    Setup("RocksDB, another takes over", "rocksdb", 2, 0),
    Setup("RocksDB, a standby takes over", "rocksdb", 2, 1),
)


def measure(
    address: str, setup: Setup, tickers: int, rate: float, *, with_changelog: bool
) -> tuple[Takeover, tuple[ChangelogSize, ChangelogSize] | None]:
    """Measure one way with so many tickers."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_topics(address, _PARTITIONS) as settings,
    ):
        fill_changelog(settings, Feed(tickers, rate, 60).market(_PARTITIONS))
        with watch() as watching:
            takeover = take_over(settings, setup, watching, Path(folder), tickers, rate)
        return takeover, changelog_sizes(settings) if with_changelog else None


def _print_takeover(tickers: int, setup: Setup, takeover: Takeover) -> None:
    print(
        f"{tickers:8,}  {setup.name:30}{takeover.detection:10.1f}{takeover.table:8.1f}{takeover.catching_up:12.1f}"
        f"{takeover.total:8.1f}",
        flush=True,
    )


def _print_sizes(sizes: dict[int, tuple[ChangelogSize, ChangelogSize]]) -> None:
    print(f"\nThe changelog\n{'tickers':>8}{'':14}{'records':>10}{'MB':>8}{'bytes a ticker':>16}")
    for tickers, both in sizes.items():
        for when, size in zip(("as written", "compacted"), both, strict=True):
            print(f"{tickers:8,}  {when:12}{size.records:10,}{size.total_bytes / 1e6:8.1f}{size.bytes_per_key:16,.0f}")


def main() -> None:
    """Measure all, and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench-recovery", description=__doc__)
    parser.add_argument("--tickers", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--rate", type=float, default=2_000.0, help="ticks a second")
    parser.add_argument("--setups", nargs="+", choices=range(len(SETUPS)), type=int, default=range(len(SETUPS)))
    options = parser.parse_args()
    sizes = {}
    with kafka() as address:
        print(f"Seconds from SIGKILL to caught up, at {options.rate:,.0f} ticks/s")
        print(f"{'tickers':>8}  {'':30}{'detection':>10}{'table':>8}{'catching up':>12}{'total':>8}")
        for tickers in options.tickers:
            for number in options.setups:
                setup = SETUPS[number]
                takeover, both = measure(
                    address, setup, tickers, options.rate, with_changelog=number == options.setups[0]
                )
                _print_takeover(tickers, setup, takeover)
                if both:
                    sizes[tickers] = both
    _print_sizes(sizes)


if __name__ == "__main__":
    main()
