"""The connection to Redis: what it costs while Redis is away, and that it comes back by itself."""

import asyncio
import logging
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.settings import GatewaySettings
from gateway.shared.link import AwayError
from gateway.view_figures import ViewFigures
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from tests.certificates import Authority
from tests.gateway.proxy import Proxy, standing
from tests.gateway.samples import make_parts, prediction
from tests.gateway.shared.linked import linked, new_link
from tests.gateway.web import client_of, until
from tests.redis import RedisServer


async def _ping(redis: Any) -> bool:
    return bool(await redis.ping())


def _echo(text: str) -> Callable[[Any], Awaitable[Any]]:
    return lambda client: client.echo(text)


async def _nonsense(redis: Any) -> Any:
    return await redis.execute_command("NO-SUCH-COMMAND")


async def test_a_killed_redis_costs_one_question_and_comes_back_by_itself(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        assert await link.ask(_ping)
        redis.kill()
        asked = 0

        async def counted(client: Any) -> bool:
            nonlocal asked
            asked += 1
            return await _ping(client)

        for _ in range(5):
            with pytest.raises(AwayError):
                await link.ask(counted)
        assert asked <= 1, "while it is away, nobody asks"
        redis.start()
        await until(lambda: link.up, "Redis being back")
        assert await link.ask(_ping)


async def test_a_redis_that_says_nothing_is_waited_for_no_longer_than_the_limit(redis: RedisServer) -> None:
    async with linked(redis.url, redis_answer_ms=50) as link:
        redis.freeze()
        with pytest.raises(AwayError, match="TimeoutError"):
            await asyncio.wait_for(link.ask(_ping), 30)
        assert not link.up
        redis.thaw()
        await until(lambda: link.up, "Redis being back")
        link._answer_seconds = 30  # a busy machine is not what this is about
        values = await asyncio.gather(*(link.ask(_echo(str(n))) for n in range(20)))
        assert values == [str(n).encode() for n in range(20)], "an answer that came late is nobody else's"


async def test_what_redis_refuses_closes_nothing(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        with pytest.raises(AwayError, match="refuses"):
            await link.ask(_nonsense)
        assert link.up


class _TlsProxy(Proxy):
    def __init__(self, server_port: int, context: ssl.SSLContext) -> None:
        super().__init__(server_port)
        self._context = context

    async def come(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]


async def test_redis_is_reached_over_tls_by_whom_we_trust_alone(redis: RedisServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*issued)
    server_port = int(redis.url.rpartition(":")[2].partition("/")[0])
    async with standing(_TlsProxy(server_port, context)) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0"
        async with linked(f"{url}?ssl_ca_certs={authority.certificate}") as link:
            assert await link.ask(_ping)
        strange = new_link(url)
        looking = asyncio.create_task(strange.run())
        await until(lambda: strange._noted is not None, "a first look")
        looking.cancel()
        assert not strange.up


async def test_a_password_is_in_no_log_and_no_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    link = new_link("redis://someone:s3cret@127.0.0.1:1/0")
    looking = asyncio.create_task(link.run())
    await until(lambda: link._noted is not None, "a first look")
    looking.cancel()
    monkeypatch.setenv("TICKCAST_REDIS_URL", "http://someone:s3cret@redis.example")
    with pytest.raises(StopAndSayError, match="TICKCAST_REDIS_URL: give redis://") as refused:
        load_settings(GatewaySettings, _env_file=None)
    assert "goes on alone" in caplog.text
    assert "s3cret" not in caplog.text + str(refused.value)


def test_without_its_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(StopAndSayError, match=r"install tickcast\[redis\]"):
        new_link("redis://127.0.0.1:1/0")
    assert new_link("").state is None, "who configures none needs no package"


async def test_health_says_whether_redis_is_up_and_since_when(redis: RedisServer) -> None:
    parts = make_parts(prediction("AAPL"), redis_url=SecretStr(redis.url), redis_answer_ms=2_000)
    parts.redis._clock_ns = time.time_ns
    parts.instruments.show(ViewFigures(parts))
    async with client_of(parts) as client:
        assert (await client.get("/health")).json()["redis"]["state"] == "away"
        looking = asyncio.create_task(parts.redis.run())
        await until(lambda: parts.redis.up, "reaching Redis")
        up = (await client.get("/health")).json()["redis"]
        redis.kill()
        with pytest.raises(AwayError):
            await parts.redis.ask(_ping)
        answer = await client.get("/health")
        metrics = (await client.get("/metrics")).text
        looking.cancel()
    assert answer.status_code == 200
    document = answer.json()
    assert (up["state"], document["redis"]["state"], document["status"]) == ("up", "away", "degraded")
    assert document["redis"]["since"] > up["since"]
    assert "tickcast_reachable_redis_servers 0.0" in metrics
