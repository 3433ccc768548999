"""Settings of limits."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork
from pydantic_settings import NoDecode

from gateway.limits.buckets import Limit
from schemas.settings import Settings, split_list

PerSecond = Annotated[float, Field(ge=0.001, le=1_000_000)]
Burst = Annotated[int, Field(ge=1, le=10_000_000)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(split_list)]


class LimitSettings(Settings):
    """How much everybody may ask."""

    trusted_proxies: Networks = Field(
        (), description="Addresses and networks of proxies whose X-Forwarded-For is believed"
    )
    limit_requests: bool | None = Field(
        None, description="Bound how often everybody may ask; empty: where a key is asked for"
    )
    limit_key_per_second: PerSecond = Field(50.0, description="Requests with one key")
    limit_key_burst: Burst = Field(100, description="Of them at once")
    limit_client_per_second: PerSecond = Field(20.0, description="Requests without a key from one address")
    limit_client_burst: Burst = Field(100, description="Of them at once")
    limit_costly_per_second: PerSecond = Field(10.0, description="Of either, those that are dear to answer")
    limit_costly_burst: Burst = Field(40, description="Of them at once")
    limit_refused_per_second: PerSecond = Field(
        5.0, description="Refused requests from one address, those with wrong keys among them"
    )
    limit_refused_burst: Burst = Field(200, description="Of them at once")
    limit_messages_per_second: PerSecond = Field(20.0, description="Messages from one WebSocket client")
    limit_messages_burst: Burst = Field(200, description="Of them at once")
    limit_streams_per_key: int = Field(100, ge=1, description="WebSockets and event streams of one key at a time")
    limit_streams_per_client: int = Field(200, ge=1, description="Those of one address")

    def limit(self, name: Literal["key", "client", "costly", "refused", "messages"]) -> Limit:
        """Give a limit by its name."""
        return Limit(name, getattr(self, f"limit_{name}_per_second"), getattr(self, f"limit_{name}_burst"))
