"""A client of the gateway: `connect` for programs with an event loop, `connect_sync` for all others.

It needs the contract (`schemas`), httpx, msgspec and websockets, nothing else of Tickcast.
"""

from gateway.client.asynchronous import Client, connect
from gateway.client.errors import ClientError, ProtocolError, RefusedError, RequestError, UnreachableError
from gateway.client.events import BarUpdate, Disconnected, Event, Gap, StartedAnew
from gateway.client.health import Health, ServiceHealth
from gateway.client.stream import Stream
from gateway.client.synchronous import SyncClient, SyncStream, connect_sync
from schemas.public import PastBar

__all__ = [
    "BarUpdate",
    "Client",
    "ClientError",
    "Disconnected",
    "Event",
    "Gap",
    "Health",
    "PastBar",
    "ProtocolError",
    "RefusedError",
    "RequestError",
    "ServiceHealth",
    "StartedAnew",
    "Stream",
    "SyncClient",
    "SyncStream",
    "UnreachableError",
    "connect",
    "connect_sync",
]
