"""A process of clients that come and go: `python -m benchmarks.gateway.comings_and_goings --help`.

Always as many WebSocket clients, each for a few seconds to a minute with tickers of its own; some never read, some end
in the middle of a frame, some listen to server-sent events; beside them requests over REST, of which some are wrong.
All ends with an error where the gateway ends a client that reads, or not one that long has not, or answers 5xx: but for
a few that wait for the database.
"""

import argparse
import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

import httpx
import uvloop

from benchmarks.gateway.socket_reader import Reader, Tally, connected, ended

_PATHS = (
    "/predict/{0}",
    "/predict/{0}?horizon=5",
    "/predict/{0}?horizon=4",
    "/predict/nobody",
    "/predictions?tickers={0},{1}",
    "/predictions?min_confidence=0.5",
    "/accuracy/{0}",
    "/models/status",
    "/history/{0}?days=30",
    "/bars/{0}",
    "/health",
    "/metrics",
    "/performance/metrics",
    "/nowhere",
)
_DEAF, _EVENTS = 0.05, 0.1
_LONGEST_SECONDS = 60.0
#: A deaf client that stays so long is ended before: 10 s after it stalled, and a machine under load may be late.
_SURELY_STALLED_SECONDS = 30.0
#: Requests that may be sent away while the database has too much to do: so many, and one in so many.
_FEW, _ONE_IN = 5, 200


class Clients:
    """All who come and go."""

    def __init__(self, address: str, tickers: int, seed: int) -> None:
        self._address = address
        self._tickers = tickers
        self._random = random.Random(seed)
        self._asked = 0
        self._sent_away = 0

    def _some(self, count: int) -> list[str]:
        return [f"T{number:05d}" for number in self._random.sample(range(self._tickers), count)]

    def _stay_seconds(self) -> float:
        return min(_LONGEST_SECONDS, self._random.expovariate(1 / 15))

    async def visit(self) -> None:
        """Come, stay for a while, and go without a word."""
        if self._random.random() < _EVENTS:
            await self._listen()
            return
        deaf = self._random.random() < _DEAF
        tickers = self._some(self._random.randint(1, 50))
        reader = Reader(Tally(), self._address, tickers, deaf=deaf, path="/ws/predictions")
        transport = await connected(reader, self._address)
        seconds = self._stay_seconds()
        await asyncio.sleep(seconds)
        if reader.ended and not deaf:
            raise RuntimeError("the gateway has ended a client that reads")
        if deaf and seconds > _SURELY_STALLED_SECONDS and not await ended([reader]):
            raise RuntimeError(f"the gateway has not ended a client that read nothing for {seconds:.0f} s")
        transport.abort() if self._random.random() < 0.5 else transport.close()

    async def _listen(self) -> None:
        url = f"http://{self._address}/events/predictions?tickers={','.join(self._some(10))}"
        async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", url) as answer:  # noqa: S113
            with suppress(TimeoutError):
                async with asyncio.timeout(self._stay_seconds()):
                    async for _ in answer.aiter_bytes():
                        pass
                    raise RuntimeError("the gateway has ended the events of a client that reads")

    async def ask(self, client: httpx.AsyncClient) -> None:
        """Ask one thing over REST."""
        path = self._random.choice(_PATHS).format(*self._some(2))
        answer = await client.get(f"http://{self._address}{path}")
        self._asked += 1
        if answer.is_server_error and not self._may_be_sent_away(answer):
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}; {self._sent_away} sent away")

    def _may_be_sent_away(self, answer: httpx.Response) -> bool:
        if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or ":history-" not in answer.json().get("type", ""):
            return False
        self._sent_away += 1
        return self._sent_away <= _FEW + self._asked // _ONE_IN


async def _for_ever(act: Callable[[], Awaitable[None]], pause_seconds: float = 0.0) -> None:
    while True:
        await act()
        await asyncio.sleep(pause_seconds)


async def come_and_go(address: str, tickers: int, clients: int, seconds: float, seed: int) -> None:
    """Let clients come and go for so long; what one meets that it should not ends all."""
    those = Clients(address, tickers, seed)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
            group.create_task(_for_ever(lambda: those.ask(client), 0.02))
            for _ in range(clients):
                group.create_task(_for_ever(those.visit))


def main() -> None:
    """Come and go."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.comings_and_goings", description=__doc__)
    parser.add_argument("--address", required=True, help="host:port")
    parser.add_argument("--tickers", type=int, required=True, help="of the market")
    parser.add_argument("--clients", type=int, default=300, help="at a time")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(come_and_go(options.address, options.tickers, options.clients, options.seconds, options.seed))


if __name__ == "__main__":
    main()
