"""What `/health` says, as far as the client promises it."""

from msgspec import Struct, field


class ServiceHealth(Struct, frozen=True, kw_only=True):
    """A service: the state of its worst instance."""

    state: str
    message: str = ""


class Health(Struct, frozen=True, kw_only=True):
    """The gateway can answer.

    Attributes:
        status: `healthy` or `degraded`.
        services: By name; empty where the gateway does not tell them to everybody.
    """

    status: str
    version: str = ""
    state: str = ""
    message: str = ""
    services: dict[str, ServiceHealth] = field(default_factory=dict)
