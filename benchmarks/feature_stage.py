"""Ticks per second through the feature stage, beside a plain confluent-kafka loop that does the same work."""

from benchmarks.cluster import environment, fill_ticks, fresh_topics
from benchmarks.market import Market
from benchmarks.stopwatch import Pace, median, time_process
from deploy.kafka.ports import free_ports
from schemas.metrics import TICKS_ABSORBED

_MODULES = {"feature_stream (Faust)": "feature_stream", "bare confluent-kafka loop": "benchmarks.bare_stage"}


def measure(address: str, market: Market, runs: int) -> dict[str, Pace]:
    """Time both, in turn, so often, on the same log; medians."""
    paces: dict[str, list[Pace]] = {name: [] for name in _MODULES}
    for _ in range(runs):
        for name, module in _MODULES.items():
            with fresh_topics(address, market.partitions) as settings:
                fill_ticks(settings, market)
                port = next(free_ports())
                total = market.ticks // market.frame_ticks * market.frame_ticks
                variables = environment(settings, metrics_port=port)
                paces[name].append(time_process(module, TICKS_ABSORBED.name, total, port, variables))
    return {name: median(timed) for name, timed in paces.items()}
