"""Connections that stay are counted for their key and their address, and no more once they have gone."""

import asyncio
import contextlib

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from gateway.access.scopes import Scope
from gateway.limits.seats import LocalSeats, Seat
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.gateway.access.people import key_of
from tests.gateway.access.test_gate import code_of
from tests.gateway.samples import make_parts, prediction
from tests.gateway.web import DEADLINE_SECONDS, Running, running, talking, until


def parts_with(*, per_key: int, per_client: int) -> Parts:
    return make_parts(
        prediction("AAPL", 1), auth_required=True, limit_streams_per_key=per_key, limit_streams_per_client=per_client
    )


async def refused_at(server: Running, key: str | None, policy: str) -> None:
    headers = {} if key is None else {"X-API-Key": key}
    with pytest.raises(InvalidStatus) as refused:
        await connect(server.socket_url, additional_headers=headers)
    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")
    assert f'"violated-policies":["{policy}"]'.encode() in bytes(response.body or b"")


async def test_a_key_has_so_many_and_another_one_its_own_and_what_closes_makes_room() -> None:
    parts = parts_with(per_key=2, per_client=50)
    ours, theirs = (key_of(parts, Scope.STREAM)[0] for _ in range(2))
    async with running(parts) as server, contextlib.AsyncExitStack() as open_ones:
        first: ClientConnection = await connect(server.socket_url, additional_headers={"X-API-Key": ours})
        http = await open_ones.enter_async_context(httpx.AsyncClient(base_url=server.url))
        events = f"{server.url}/events/predictions"
        stream = await open_ones.enter_async_context(http.stream("GET", events, headers={"X-API-Key": ours}))
        assert stream.status_code == 200
        await refused_at(server, ours, "streams-per-key")
        answer = await http.get("/events/predictions", headers={"X-API-Key": ours})
        assert (answer.status_code, answer.json()["violated-policies"]) == (429, ["streams-per-key"])
        await open_ones.enter_async_context(connect(server.socket_url, additional_headers={"X-API-Key": theirs}))
        await first.close()
        await until(lambda: len(parts.hub) == 2, "the end of the first")
        await open_ones.enter_async_context(connect(server.socket_url, additional_headers={"X-API-Key": ours}))


async def test_an_address_has_so_many_whatever_their_keys() -> None:
    parts = parts_with(per_key=1, per_client=2)
    keys = [key_of(parts, Scope.STREAM)[0] for _ in range(3)]
    async with running(parts) as server, contextlib.AsyncExitStack() as open_ones:
        for key in keys[:2]:
            await open_ones.enter_async_context(connect(server.socket_url, additional_headers={"X-API-Key": key}))
        await refused_at(server, keys[2], "streams-per-client")
        await refused_at(server, None, "streams-per-client")


async def test_a_key_that_comes_in_a_message_is_counted_too() -> None:
    parts = parts_with(per_key=1, per_client=50)
    ours, theirs = (key_of(parts, Scope.STREAM)[0] for _ in range(2))
    async with running(parts) as server, talking(server) as first, talking(server) as second:
        for _ in range(2):  # the same key again takes no second seat
            await first.say(action="auth", key=ours)
            await first.hear_kind("authenticated")
        await second.say(action="auth", key=ours)
        assert (await second.hear_kind("error"))["code"] == "rate_limited"
        assert await code_of(second.connection) == CloseCode.TOO_MANY_CONNECTIONS
        await first.say(action="auth", key=theirs)
        await first.hear_kind("authenticated")
        async with talking(server) as third:
            await third.say(action="auth", key=ours)
            await asyncio.wait_for(third.hear_kind("authenticated"), DEADLINE_SECONDS)


def test_every_end_gives_everything_back() -> None:
    of_clients, of_keys = LocalSeats("streams-per-client", 2), LocalSeats("streams-per-key", 1)
    seats = [Seat(of_clients, of_keys) for _ in range(3)]
    assert seats[0].take("1.1.1.1", "a") is None
    assert seats[1].take("1.1.1.1", "a") is not None  # it has the address's, and not the key's
    assert seats[2].take("1.1.1.1", "b") is not None
    for seat in seats:
        seat.leave()
        seat.leave()
    assert (len(of_clients), len(of_keys)) == (0, 0)
