"""What the routes work with. The service fills it from the settings, tests with whatever they like."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

from gateway.access.accounts import Accounts
from gateway.access.identity import Identity
from gateway.access.ledger import Ledger
from gateway.access.ring import KeyRing
from gateway.access.tokens import TokenMint
from gateway.archive import Archive
from gateway.batch_jobs import BatchDesk
from gateway.command_desk import CommandDesk
from gateway.condition import Condition
from gateway.figures import MemoryFigures, StageTimes
from gateway.forecasts import ForecastDesk
from gateway.hub import Hub
from gateway.instruments import Instruments
from gateway.jobs import JobsView
from gateway.latest import LatestBars, LatestView
from gateway.limits.limits import Limits
from gateway.limits.refusals import Refusals
from gateway.problems import not_caught_up, stopping
from gateway.rounds import Rounds
from gateway.scores import ScoresView
from gateway.settings import GatewaySettings
from gateway.shared.answers import Answers
from gateway.shared.leases import LeaseDesk
from gateway.shared.link import RedisLink
from gateway.shared.presence import Presence
from gateway.shared.seats import make_shared_seats
from gateway.source_jobs import SourceJobsView
from gateway.streams import BarStream, PredictionStream, Stream
from gateway.system import ModelsView, ServicesView
from gateway.usage import Usage
from gateway.workers.team import Team
from schemas.events import Scoreboard, ServiceState
from schemas.sockets import HELD_BYTES
from schemas.status import StatusBoard
from schemas.tracing import Tracer


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The views and what stands around them."""

    settings: GatewaySettings
    board: StatusBoard
    instruments: Instruments
    predictions: PredictionStream = field(default_factory=lambda: Stream(LatestView(), 7 * HELD_BYTES // 8))
    bars: BarStream = field(default_factory=lambda: Stream(LatestBars(), HELD_BYTES // 8))
    hub: Hub = field(default_factory=Hub)
    services: ServicesView = field(default_factory=ServicesView)
    models: ModelsView = field(default_factory=ModelsView)
    jobs: JobsView = field(default_factory=JobsView)
    source_jobs: SourceJobsView = field(default_factory=SourceJobsView)
    keys: KeyRing = field(default_factory=KeyRing)
    usage: Usage = field(default_factory=Usage)
    scores: ScoresView = field(default_factory=ScoresView)
    stage_times: StageTimes = field(default_factory=StageTimes)
    memory: MemoryFigures = field(default_factory=MemoryFigures)
    condition: Condition = field(default_factory=Condition)
    team: Team = field(default_factory=Team)
    tracer: Tracer | None = None
    clock_ns: Callable[[], int] = time.time_ns

    @cached_property
    def rounds(self) -> Rounds:
        """Give the clients for whom something waits."""
        return Rounds(self.instruments.round_seconds.observe)

    @cached_property
    def forecasts(self) -> ForecastDesk:
        """Give the desk of forecasts from callers' own prices."""
        return ForecastDesk(self.settings, self.instruments)

    @cached_property
    def commands(self) -> CommandDesk:
        """Give the desk of commands to the trainer and to sources."""
        return CommandDesk(self.jobs, self.source_jobs, self.services, self.clock_ns)

    @cached_property
    def batches(self) -> BatchDesk:
        """Give the desk of batches that are too large to be answered at once."""
        return BatchDesk(self.clock_ns)

    @cached_property
    def archive(self) -> Archive:
        """Give the recorded history; nothing is opened before somebody asks."""
        return Archive(self.settings)

    @cached_property
    def mint(self) -> TokenMint:
        """Give what signs tokens."""
        return TokenMint(self.settings.token_key.get_secret_value())

    @cached_property
    def identity(self) -> Identity:
        """Give what finds out who asks."""
        return Identity(self.keys, self.mint)

    @cached_property
    def accounts(self) -> Accounts:
        """Give the users' way in; nothing is opened before somebody asks."""
        ledger, make_buckets = Ledger(self.settings), self.leases.make_buckets
        return Accounts(self.settings, ledger, self.keys, self.mint, self.clock_ns, make_buckets, self.refusals.may_log)

    @cached_property
    def refusals(self) -> Refusals:
        """Give what counts requests that are refused."""
        return Refusals(self.instruments.refused)

    @cached_property
    def limits(self) -> Limits:
        """Give how much everybody may ask."""
        return Limits(self.settings, self.leases.make_buckets, partial(make_shared_seats, self.presence))

    @cached_property
    def redis(self) -> RedisLink:
        """Give the connection to the Redis that gateways share, which may be none."""
        return RedisLink(self.settings, self.instruments, self.clock_ns)

    @cached_property
    def presence(self) -> Presence:
        """Give the gateways that share a Redis, this one among them."""
        return Presence(self.redis, self.settings.gateway_workers)

    @cached_property
    def leases(self) -> LeaseDesk:
        """Give the limits that gateways share."""
        return LeaseDesk(self.redis, lambda: self.presence.gateways)

    @cached_property
    def answers(self) -> Answers:
        """Give the answers of the database that are kept for a while."""
        return Answers(self.redis, self.instruments, origin=self.settings.database_name())

    def close(self) -> None:
        """Let go of what was opened."""
        if "archive" in vars(self):
            self.archive.close()
        if "accounts" in vars(self):
            self.accounts.close()

    @property
    def latest(self) -> LatestView:
        """Give the latest prediction of each ticker."""
        return self.predictions.view

    @property
    def is_current(self) -> bool:
        """Tell whether the view has all there is, and more comes: Kafka answers, and the source ticks if it should."""
        return self.hears_kafka and not self.services.source_in_trouble

    @property
    def hears_kafka(self) -> bool:
        """Tell whether the view has caught up and Kafka answers."""
        return self.latest.caught_up and self.board.state is not ServiceState.DEGRADED

    def board_for(self, ticker: str) -> Scoreboard | None:
        """Give a ticker's scoreboard; that of all where it has none of its own."""
        return self.scores.get(ticker) or self.scores.get()

    def require_ready(self, **extra: object) -> None:
        """Let a request on only where further requests are welcome.

        Raises:
            ProblemError: 503, with `extra` beside it: the view has not caught up, or that of another worker, or the
                gateway was told to stop.
        """
        if self.condition.draining:
            raise stopping(**extra)
        self.require_caught_up(**extra)
        if not self.team.is_ready:
            raise not_caught_up(**extra)

    def require_caught_up(self, **extra: object) -> None:
        """Let a request on only when the view has caught up.

        Raises:
            ProblemError: 503, with `extra` beside it.
        """
        if not self.latest.caught_up:
            raise not_caught_up(**extra)
