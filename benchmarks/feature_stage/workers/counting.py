"""How many ticks a contestant has absorbed: a plain number, so that counting slows nobody down."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from feature_stream.settings import FeatureStreamSettings
from schemas.metrics import TICKS_ABSORBED
from schemas.service import serve_metrics
from schemas.status import StatusBoard


class TickCount(Collector):
    """Add to `ticks`; the metrics port shows it."""

    def __init__(self, settings: FeatureStreamSettings) -> None:
        self.ticks = 0
        REGISTRY.register(self)
        self._server = serve_metrics(
            StatusBoard("contestant", settings.instance), settings.metrics_host, settings.metrics_port
        )

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Give the counter as it stands."""
        yield CounterMetricFamily(TICKS_ABSORBED.name, TICKS_ABSORBED.help, value=self.ticks)
