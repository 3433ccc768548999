"""How a service is."""

from enum import StrEnum

from msgspec import Struct


class ServiceState(StrEnum):
    """`ended`: a source has played all it has, and the service goes on serving."""

    STARTING = "starting"
    CATCHING_UP = "catching_up"
    READY = "ready"
    DEGRADED = "degraded"
    ENDED = "ended"
    STOPPING = "stopping"


class CommandState(StrEnum):
    """Where a command is; `refused`: it was answered with no, `failed`: it came to no answer."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class CommandProgress(Struct, frozen=True, kw_only=True):
    """A command that a trainer or an ingestor works on; `state` is a `CommandState`, progress from 0 to 1."""

    id: str
    action: str
    state: str
    progress: float
    message: str = ""


class SourceStatus(Struct, frozen=True, kw_only=True):
    """What an ingestor plays, and what it must know of it after a restart: it reads its last word.

    Attributes:
        source: The name of the ingestor's source, and in the commands to it.
        plays: What the settings say, without a path: `replay`, `file`, `alpaca`.
        changeable: Commands change its tickers; of others none are named here.
        tickers: Its own, with those that are paused.
        paused_ns: Since when, of those that are.
        beginning: The tickers of the settings, with which the changes began.
        unheard: Tickers that commands have added, and of which nothing has come yet.
        commands_before: The commands before this offset of `source-commands` are answered.
        expects_ticks: Some are to be expected now.
        last_tick_ns: When its last tick came; null: none has.
        latency_seconds: From that tick's own time to its coming.
    """

    source: str
    plays: str
    changeable: bool
    tickers: list[str] = []
    paused_ns: dict[str, int] = {}
    beginning: list[str] = []
    unheard: list[str] = []
    commands_before: int = 0
    expects_ticks: bool = True
    last_tick_ns: int | None = None
    latency_seconds: float | None = None


class ServiceStatus(Struct, frozen=True, kw_only=True):
    """A service's own word on itself, every 5 s and at every change of state.

    Attributes:
        lag_records: Records not read yet; null where it reads none.
        lag_seconds: How old, at most, the oldest of them is; 0: all are read.
        totals: Since its start, by name, like `dead_letters`.
        rates: Per second, by name.
        latency_seconds: Quantiles by name, like `p50` and `p99`.
        sources: Of an ingestor: what it plays.
    """

    service: str
    instance: str
    version: str
    state: ServiceState
    started_at_ns: int
    updated_at_ns: int
    memory_bytes: int
    message: str = ""
    lag_records: int | None = None
    rates: dict[str, float] = {}
    latency_seconds: dict[str, float] = {}
    commands: list[CommandProgress] = []
    lag_seconds: float | None = None
    totals: dict[str, int] = {}
    sources: list[SourceStatus] = []
