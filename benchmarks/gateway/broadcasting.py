"""A peer of the gateway's sockets: `python -m benchmarks.gateway.broadcasting --help`.

`websockets.broadcast()` of one ready message to every client, whatever it asks for, with nothing behind it: no Kafka,
no resuming, no conflation. It is the bare sending that the gateway's is compared with.
"""

import argparse
import asyncio
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from schemas.times import to_rfc3339

_MADE = '{"type":"prediction","predicted_at":"'


def message(length: int) -> str:
    """Give a message made now, of so many bytes."""
    start = f'{_MADE}{to_rfc3339(time.time_ns())}","filling":"'
    return start + "x" * (length - len(start) - 2) + '"}'


async def send(port: int, rate: float, length: int) -> None:
    """Send to all who are connected, at a steady pace where there is time for it."""
    clients: set[ServerConnection] = set()

    async def meet(client: ServerConnection) -> None:
        clients.add(client)
        try:
            await client.wait_closed()
        finally:
            clients.discard(client)

    async with serve(meet, "127.0.0.1", port, compression=None, max_queue=None):
        due = time.monotonic()
        while True:
            due = max(due + 1 / rate, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            broadcast(clients, message(length))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.broadcasting", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="messages a second, each to all clients")
    parser.add_argument("--bytes", type=int, required=True, help="of a message")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send(options.port, options.rate, options.bytes))
