"""What the routes work with. The service fills it from the settings, tests with whatever they like."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.hub import Hub
from gateway.instruments import Instruments
from gateway.latest import LatestView
from gateway.problems import not_caught_up
from gateway.settings import GatewaySettings
from gateway.system import ModelsView, ServicesView
from schemas.status import StatusBoard


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The views and what stands around them."""

    settings: GatewaySettings
    board: StatusBoard
    instruments: Instruments
    latest: LatestView = field(default_factory=LatestView)
    hub: Hub = field(default_factory=Hub)
    services: ServicesView = field(default_factory=ServicesView)
    models: ModelsView = field(default_factory=ModelsView)
    clock_ns: Callable[[], int] = time.time_ns

    def require_caught_up(self, **extra: object) -> None:
        """Let a request on only when the view has caught up.

        Raises:
            ProblemError: 503, with `extra` beside it.
        """
        if not self.latest.caught_up:
            raise not_caught_up(**extra)
