"""Where the stage's time goes: `python -m benchmarks.profile_stage`, with py-spy of the peers' environment.

The stage works through a log that was filled before, while py-spy looks so many times a second at the thread that holds
Python's lock: what waits is not counted. The threads of librdkafka hold no Python: the kernel's count tells of them.
Writes the samples (`--output`, for speedscope or flamegraph.pl) and prints shares.
"""

import argparse
import subprocess
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.feature_stage.contestants import PEERS_PYTHON, TICKCAST
from benchmarks.feature_stage.logs import input_log
from benchmarks.feature_stage.markets import market_for
from benchmarks.feeder import Feed
from benchmarks.profile_shares import hottest, read_profile, shares
from benchmarks.watched import Watch, Watched, watch
from deploy.kafka.ports import free_ports
from schemas.metrics import TICKS_ABSORBED
from schemas.settings import Settings

_PY_SPY = PEERS_PYTHON.with_name("py-spy")
_PARTITIONS = 4
_RATE_PER_SECOND = 250


def profile(
    settings: Settings, watching: Watch, options: argparse.Namespace, begin_ticks: float
) -> tuple[Counter[tuple[str, ...]], dict[str, float]]:
    """Profile the stage under load, once it has absorbed so many ticks.

    Returns:
        Samples by stack, and CPU seconds by kind of thread.
    """
    variables = environment(settings, metrics_port=next(free_ports()))
    if options.rate:
        feed = Feed(options.tickers, options.rate, options.seconds + 60)
        watching.module("benchmarks.feeder", variables, *feed.arguments())
    watched = watching.module("feature_stream", variables)
    watched.wait_for(lambda: watched.metric(TICKS_ABSORBED.name) > begin_ticks, "the first work")
    absorbed, before = watched.metric(TICKS_ABSORBED.name), thread_seconds(watched)
    began = time.monotonic()
    _spy(watched, options)
    seconds = time.monotonic() - began
    absorbed = watched.metric(TICKS_ABSORBED.name) - absorbed
    used = {name: after - before.get(name, 0.0) for name, after in thread_seconds(watched).items()}
    print(f"{absorbed:,.0f} ticks in {seconds:.1f} s, {sum(used.values()):.1f} s of CPU")
    return read_profile(options.output.read_text().splitlines()), used


def _spy(watched: Watched, options: argparse.Namespace) -> None:
    command = (_PY_SPY, "record", "--pid", str(watched.process.pid), "--format", "raw", "--output", options.output)
    pace = ("--rate", str(_RATE_PER_SECOND), "--duration", str(options.seconds), "--gil")
    subprocess.run((*command, *pace), check=True, capture_output=True)


def thread_seconds(watched: Watched) -> dict[str, float]:
    """Give the CPU seconds of a process's threads, by the name that the kernel has."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for task in Path(f"/proc/{watched.process.pid}/task").iterdir():
        with suppress(FileNotFoundError):  # it has ended
            fields = (task / "schedstat").read_text().split()
            seconds[(task / "comm").read_text().strip()] += int(fields[0]) / 1e9
    return dict(seconds)


def _print(stacks: Counter[tuple[str, ...]], used: dict[str, float]) -> None:
    for title, figures in (("part", shares(stacks)), ("function itself", hottest(stacks, 25))):
        print(f"\n{title:64}{'share':>8}")
        for name, share in figures.items():
            print(f"{name[-64:]:64}{share:8.1%}")
    total = sum(used.values())
    print(f"\n{'thread, by its name in the kernel':64}{'share':>8}")
    for name, seconds in sorted(used.items(), key=lambda item: -item[1]):
        if seconds > total / 1_000:
            print(f"{name:64}{seconds / total:8.1%}")


def main() -> None:
    """Profile, and print where the time went."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_stage", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="so many, of a log that is worked through in about ten")
    parser.add_argument("--rate", type=float, default=0.0, help="feed at a steady pace instead")
    parser.add_argument("--tickers", type=int, default=100)
    parser.add_argument("--frame-ticks", type=int, default=256)
    parser.add_argument("--output", type=Path, default=Path("var/stage-profile.txt"))
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with kafka() as address, ExitStack() as stack:
        watching = stack.enter_context(watch())
        if options.rate:
            settings, begin_ticks = stack.enter_context(fresh_topics(address, _PARTITIONS)), options.rate
        else:
            market = market_for(TICKCAST, options.tickers, options.frame_ticks)
            log = stack.enter_context(input_log(address, market, TICKCAST))
            settings, begin_ticks = log.settings, log.warm_up_ticks + log.total_ticks / 20
        _print(*profile(settings, watching, options, begin_ticks))


if __name__ == "__main__":
    main()
