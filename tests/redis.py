"""A Redis of the tests: from a package, the machine's own, or a Docker engine's."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from deploy.local_redis import LocalRedis, redis_program, start_redis
from schemas.errors import StopAndSayError
from tests.processes import free_port


class RedisServer(Protocol):
    """One that runs, and can be killed, frozen and started again."""

    url: str

    def kill(self) -> None:
        """End it as a power cut would; what it held is gone."""

    def start(self) -> None:
        """Start it again, at the same place."""

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""

    def thaw(self) -> None:
        """Let it answer again."""


class _Process:
    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.start()

    def start(self) -> None:
        self._redis: LocalRedis = start_redis(self._folder, self._port)
        self.url = self._redis.url

    def kill(self) -> None:
        self._redis.process.kill()
        self._redis.process.wait()

    def freeze(self) -> None:
        self._redis.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._redis.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self._redis.stop()


class _Container:
    def __init__(self, container: Any, url: str) -> None:
        self.url = url
        wrapped = container.get_wrapped_container()
        self.kill, self.start, self.freeze, self.thaw = wrapped.kill, wrapped.start, wrapped.pause, wrapped.unpause


def redis_is_required() -> bool:
    """Tell whether a missing Redis fails the tests."""
    return os.environ.get("REQUIRE_REDIS", "") not in ("", "0")


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Give the first that can be had; skip, or fail where it is required, when there is none."""
    try:
        redis_program()
    except StopAndSayError as error:
        yield from _container(str(error))
        return
    server = _Process(folder)
    try:
        yield server
    finally:
        server.stop()


def _container(why_not_local: str) -> Iterator[RedisServer]:
    from docker import from_env  # type: ignore[import-untyped]
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.community.redis import RedisContainer

    try:
        from_env(timeout=5).ping()
    except DockerException:
        reason = f"{why_not_local}; and no Docker engine answers"
        if redis_is_required():
            pytest.fail(f"REQUIRE_REDIS is set and there is no Redis: {reason}", pytrace=False)
        pytest.skip(f"no Redis: {reason}")
    port = free_port()  # a started container keeps it
    with RedisContainer().with_bind_ports(6379, port) as container:
        yield _Container(container, f"redis://{container.get_container_host_ip()}:{port}/0")
