"""Settings of the gateway."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from gateway.access.settings import AccessSettings
from gateway.authorities import read_authority, read_origin
from gateway.database.settings import DatabaseSettings
from gateway.limits.settings import LimitSettings
from gateway.shared.settings import SharedSettings
from gateway.tls_settings import TlsSettings
from schemas.settings import split_list

ANY_HOST = "*"


def _host(name: str) -> str:
    if name == ANY_HOST:
        return name
    authority = read_authority(name) or read_authority(f"[{name}]")  # IPv6 needs brackets only beside a port
    if authority is None:
        raise ValueError(f"{name!r} is not a host name: give names like gateway.example (any port), or * for any host")
    return authority.host


def _hosts(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_host(name) for name in names)


def _origin(text: str) -> str:
    if text == "*":
        raise ValueError("* would let every page on the web in: name the origins, like https://board.example")
    origin = text.removesuffix("/")
    if read_origin(origin) is None:
        raise ValueError(f"{text!r} is not an origin: give scheme://host or scheme://host:port, nothing after it")
    return origin


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_origin(origin) for origin in origins)


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_hosts)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_origins)]


class GatewaySettings(AccessSettings, TlsSettings, LimitSettings, DatabaseSettings, SharedSettings):
    """Where the gateway listens, whom it lets in, and what one client may ask of it."""

    gateway_host: str = Field("127.0.0.1", min_length=1)
    gateway_port: int = Field(8_000, ge=0, le=65_535, description="0: a free one")
    gateway_workers: int = Field(
        1, ge=1, le=64, description="Processes that share the port; limits on clients are of each"
    )
    allowed_hosts: Hosts = Field((), description="Further host names under which the gateway is reached; `*` is any")
    allowed_origins: Origins = Field((), description="Further origins whose pages may ask, read and open a WebSocket")
    open_without_auth: bool = Field(
        False, description="Listen beyond this machine even though nobody is asked for a key"
    )
    maximum_body_bytes: int = Field(1_048_576, ge=1_024, description="Size of a request's body")
    forecast_answer_seconds: float = Field(
        2.0, gt=0, le=60, description="A forecast from a caller's own prices is waited for so long"
    )
    forecast_cache_seconds: float = Field(60.0, ge=0, le=86_400, description="Equal prices get the same answer so long")
    heartbeat_seconds: float = Field(10.0, gt=0, le=3_600, description="Between two heartbeats on a WebSocket")
    maximum_tickers: int = Field(1_000, ge=1, description="Tickers that one client may name; `*` does not count")
    maximum_clients: int = Field(2_000, ge=1, description="WebSocket clients at a time")
    maximum_http_connections: int = Field(
        1_000, ge=1, description="HTTP connections at a time, beside as many as there may be WebSocket clients"
    )
    maximum_message_bytes: int = Field(65_536, ge=256, le=1_048_576, description="Size of a message from a client")
    client_queue: int = Field(
        2_048, ge=1, description="Updates that wait for a slow client before only what is newest of each ticker is kept"
    )
    client_conflate_seconds: float = Field(
        1.0, gt=0, le=3_600, description="An update may wait so long for a client before only what is newest is kept"
    )
    client_stall_seconds: int = Field(
        10, ge=1, le=3_600, description="A client for which an update waits so long is disconnected"
    )
    log_requests: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of requests in the log (1: all); where it is not 0, each that fails is there",
    )
    websocket_compression: bool = Field(
        False, description="Offer permessage-deflate: less traffic, more than twice the work"
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        le=3_600,
        description="From SIGTERM, when /health/ready becomes 503, to the end: time for a load balancer to see it",
    )

    @property
    def maximum_connections(self) -> int:
        """Give how many connections of both kinds may be open."""
        return self.maximum_clients + self.maximum_http_connections

    @property
    def limits_requests(self) -> bool:
        """Tell whether it is bounded how often everybody may ask."""
        return self.auth_required if self.limit_requests is None else self.limit_requests
