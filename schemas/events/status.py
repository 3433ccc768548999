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
    """A command that a trainer works on; `state` is a `CommandState`, progress from 0 to 1."""

    id: str
    action: str
    state: str
    progress: float
    message: str = ""


class ServiceStatus(Struct, frozen=True, kw_only=True):
    """A service's own word on itself, every 5 s and at every change of state.

    Attributes:
        lag_records: Records not read yet; null where it reads none.
        lag_seconds: How old, at most, the oldest of them is; 0: all are read.
        totals: Since its start, by name, like `dead_letters`.
        rates: Per second, by name.
        latency_seconds: Quantiles by name, like `p50` and `p99`.
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
