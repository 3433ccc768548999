"""A gateway on a Kafka of its own, whose predictions move."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.watched import Watch, Watched, watch
from deploy.kafka.ports import free_ports
from schemas.metrics import TICKERS_KNOWN

_PARTITIONS = 4
#: The feed makes its first predictions with all models, and trains them where there are none.
_FEED_SECONDS = 300.0


@dataclass(frozen=True)
class Serving:
    """What is measured.

    Attributes:
        gateway: Its process.
        watching: Starts processes that end with it.
        variables: Lead a process to its topics.
    """

    gateway: Watched
    watching: Watch
    variables: dict[str, str]

    @property
    def address(self) -> str:
        """Give host and port."""
        return f"127.0.0.1:{self.gateway.port}"


@contextmanager
def serving(tickers: int, rate: float, seconds: float, **own: object) -> Iterator[Serving]:
    """Start Kafka, a feed and a gateway, and wait until it knows all tickers.

    Args:
        tickers: Of the market.
        rate: Updates a second, over all of them.
        seconds: How long they go on, at most.
        own: Further settings of the gateway.
    """
    port = next(free_ports())
    with kafka() as address, fresh_topics(address, _PARTITIONS) as settings, watch() as watching:
        daily = settings.model_copy(update={"interval": "1d"})
        variables = environment(daily, gateway_port=port, metrics_port=port, **own)
        sizes = (f"--tickers={tickers}", f"--rate={rate}", f"--seconds={seconds}")
        feed = watching.module("benchmarks.gateway.prediction_feed", variables, *sizes)
        gateway = watching.module("gateway", variables)

        def all_known() -> bool:
            feed.require_alive()
            return gateway.metric(TICKERS_KNOWN.name) >= tickers

        gateway.wait_for(all_known, "the first predictions", _FEED_SECONDS)
        yield Serving(gateway, watching, variables)
