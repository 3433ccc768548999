"""Settings of the gateway."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from schemas.settings import Settings, split_list

NameList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)]


class GatewaySettings(Settings):
    """Where the gateway listens, whom it lets in, and what one client may ask of it."""

    gateway_host: str = Field("127.0.0.1", min_length=1)
    gateway_port: int = Field(8_000, ge=0, le=65_535, description="0: a free one")
    allowed_hosts: NameList = Field((), description="Further names by which people reach the gateway; `*` is any")
    allowed_origins: NameList = Field((), description="Further origins whose pages may open a WebSocket")
    heartbeat_seconds: float = Field(15.0, gt=0, le=3_600)
    maximum_tickers: int = Field(1_000, ge=1, description="Named by one client; `*` is not counted")
    maximum_clients: int = Field(2_000, ge=1, description="WebSocket clients at a time")
    maximum_message_bytes: int = Field(65_536, ge=256, le=1_048_576, description="Of a message from a client")
    client_queue: int = Field(512, ge=1, description="Updates kept for a slow client before only the latest count")
    client_stall_seconds: int = Field(60, ge=1, le=3_600, description="A client that takes nothing so long is cut off")
