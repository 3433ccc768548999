"""The connection to Redis: short questions, and none while it is away."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from gateway.instruments import Instruments
from gateway.shared.settings import SharedSettings
from schemas.errors import RetryError, StopAndSayError
from schemas.log_events import LogEvent, about

if TYPE_CHECKING:
    from redis.asyncio import Redis

PROBE_EVERY_SECONDS = 1.0
#: Nobody waits for a probe; it may take as long as a new connection with TLS.
_PROBE_SECONDS = 1.0
_MOST_CONNECTIONS = 8

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class AwayError(RetryError):
    """Redis is not configured, away, too slow, or refuses: go on without it."""


class LinkState(NamedTuple):
    """Whether Redis answers, and since when it does or does not."""

    up: bool
    since_ns: int


class RedisLink:
    """One client for all that is shared.

    The first question that fails or is late closes the link, so that no other one waits; probes in the background open
    it again. There is no half-open state, in which somebody's request would be the probe.
    """

    def __init__(
        self, settings: SharedSettings, instruments: Instruments, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """Make one that is away until `run` has reached Redis.

        Raises:
            StopAndSayError: Redis is configured, and its package is missing.
        """
        self.prefix = f"tickcast:{settings.topic_prefix}"
        self._instruments = instruments
        self._clock_ns = clock_ns
        self._answer_seconds = settings.redis_answer_ms / 1_000
        self._client = _client(settings.redis_url.get_secret_value())
        self._state = LinkState(up=False, since_ns=clock_ns())
        self._noted: bool | None = None

    @property
    def state(self) -> LinkState | None:
        """Give how it is; None where no Redis is configured."""
        return None if self._client is None else self._state

    @property
    def up(self) -> bool:
        """Tell whether a question is worth asking."""
        return self._state.up

    async def ask(self, question: Callable[["Redis"], Awaitable[Answer]]) -> Answer:
        """Give the answer to a question of one round trip.

        Raises:
            AwayError: There is none within the time.
        """
        if self._client is None or not self._state.up:
            raise AwayError("no Redis")
        return await self._within(self._answer_seconds, self._client, question)

    async def run(self) -> None:
        """Look for Redis until cancelled; there is nothing to look for where none is configured."""
        if self._client is None:
            return
        try:
            while True:
                with suppress(AwayError):
                    await self._within(_PROBE_SECONDS, self._client, lambda redis: redis.ping())
                    self._note(up=True)
                await asyncio.sleep(PROBE_EVERY_SECONDS)
        finally:
            await self._client.aclose()

    async def _within(
        self, seconds: float, client: "Redis", question: Callable[["Redis"], Awaitable[Answer]]
    ) -> Answer:
        from redis.exceptions import RedisError, ResponseError  # noqa: PLC0415 - an extra

        asking = asyncio.ensure_future(question(client))
        asking.add_done_callback(_forget)
        try:
            await asyncio.wait({asking}, timeout=seconds)
            if not asking.done():
                raise TimeoutError
            answer = asking.result()
        except ResponseError as error:  # it answers, if only that it is full: the link stays open
            self._instruments.redis_calls.labels("refused").inc()
            _log.debug("Redis refuses: %s", error)
            raise AwayError(f"Redis refuses: {error}") from error
        except (RedisError, TimeoutError, OSError) as error:
            self._instruments.redis_calls.labels("failed").inc()
            self._note(up=False, error=error)
            raise AwayError(f"no Redis: {type(error).__name__}") from error
        finally:
            asking.cancel()  # whenever that ends it, nobody waits longer
        self._instruments.redis_calls.labels("answered").inc()
        return answer

    def _note(self, *, up: bool, error: BaseException | None = None) -> None:
        if up == self._noted:
            return
        self._noted, self._state = up, LinkState(up, self._clock_ns())
        said = about(LogEvent.FALLBACK, of="redis", began=not up)
        if up:
            _log.info("Redis answers", extra=said)
        else:  # its own words may hold an address
            text = "no Redis (%s): this gateway goes on alone until it answers"
            _log.warning(text, type(error).__name__, extra=said)


def _forget(asked: "asyncio.Future[Any]") -> None:
    """Hear the error of a question that nobody waits for any more."""
    if not asked.cancelled():
        asked.exception()


def _client(url: str) -> "Redis | None":
    if not url:
        return None
    try:
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError as error:
        raise StopAndSayError("TICKCAST_REDIS_URL needs a package: install tickcast[redis]") from error
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_MOST_CONNECTIONS,
        timeout=None,  # whoever asks has a time of his own
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=_PROBE_SECONDS,
        socket_timeout=_PROBE_SECONDS,  # bounds what is left of a question that nobody waits for any more
        protocol=2,
    )
    return Redis(connection_pool=pool)
