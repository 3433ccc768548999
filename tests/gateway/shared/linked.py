"""Gateways' links to a Redis of a test."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.instruments import Instruments
from gateway.shared.link import RedisLink
from tests.gateway.samples import settings
from tests.gateway.web import until


def new_link(url: str, **changes: Any) -> RedisLink:
    """Give a link that nobody looks after, with a time limit that a busy machine keeps."""
    given = {"redis_answer_ms": 2_000} | changes
    return RedisLink(settings(redis_url=SecretStr(url), **given), Instruments(CollectorRegistry()), time.time_ns)


@contextlib.asynccontextmanager
async def linked(url: str, **changes: Any) -> AsyncIterator[RedisLink]:
    """Give a link that is up."""
    link = new_link(url, **changes)
    task = asyncio.create_task(link.run())
    try:
        await until(lambda: link.up, "reaching Redis")
        yield link
    finally:
        task.cancel()
        await asyncio.wait([task])
