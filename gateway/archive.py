"""The recorded history, asked from an event loop: in threads, within a time, and never in the way of what is live."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.database.engine import begin_writing, ran_out_of_time
from gateway.database.migrate import open_migrated
from gateway.database.settings import DatabaseSettings
from gateway.problems import ProblemError
from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)
_THREADS = 4
#: Questions that wait for a thread; further ones are sent away at once.
_MOST_WAITING = 64

Answer = TypeVar("Answer")


def _unavailable(name: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, name, detail, {"Retry-After": "5"})


def _away() -> ProblemError:
    detail = "the database does not answer: history waits for it, and what is live goes on; try again in a few seconds"
    return _unavailable("history-unavailable", detail)


def _busy() -> ProblemError:
    detail = "too many questions wait for the database already: try again in a few seconds, with fewer at a time"
    return _unavailable("history-busy", detail)


def _too_slow(limit_seconds: float) -> ProblemError:
    detail = f"the database needs more than {limit_seconds:g} s for this: ask for a shorter span, or try again later"
    return _unavailable("history-too-slow", detail)


class Archive:
    """The database as the gateway uses it. Its tables are brought up to date before the first question."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._seconds = settings.database_answer_seconds
        self._threads = ThreadPoolExecutor(_THREADS, "archive")
        self._free = asyncio.Semaphore(_THREADS)
        self._waiting = 0
        self._opening = Lock()
        self._engine: Engine | None = None
        #: It answered what it was asked last, or was asked nothing yet.
        self.answers = True

    async def ask(self, query: Callable[[Connection], Answer]) -> Answer:
        """Give what a query answers.

        Raises:
            ProblemError: 503: the database does not answer, or not in time, or too many wait for it.
        """
        return await self._within_time(partial(self._ask, query))

    async def write(self, change: Callable[[Connection], Answer]) -> Answer:
        """Make a change, whole or not at all, likewise; after a 503 it may have been made all the same.

        Raises:
            ProblemError: 503.
        """
        return await self._within_time(partial(self._write, change))

    async def _within_time(self, work: Callable[[], Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._in_thread(work)
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            if isinstance(error, DBAPIError) and ran_out_of_time(error):
                raise _too_slow(self._settings.database_limit_seconds) from error
            self._say(answers=False, error=error)
            raise _away() from error
        self._say(answers=True)
        return answer

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        """Work in a thread that is free; it is free again when the work ends, whenever the wait for it does."""
        if self._waiting >= _MOST_WAITING:
            raise _busy()
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        working.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(working)

    def _ask(self, query: Callable[[Connection], Answer]) -> Answer:
        with self._open().connect() as connection:
            return query(connection)

    def _write(self, change: Callable[[Connection], Answer]) -> Answer:
        with begin_writing(self._open()) as connection:
            return change(connection)

    def _open(self) -> Engine:
        with self._opening:
            if self._engine is None:
                self._engine = open_migrated(self._settings)
            return self._engine

    def _say(self, *, answers: bool, error: Exception | None = None) -> None:
        if answers != self.answers:  # its own words may hold an address
            text = "the database answers again" if answers else f"no database: {type(error).__name__}"
            _log.warning(text, extra=about(LogEvent.FALLBACK, of="database", began=not answers))
        self.answers = answers

    def close(self) -> None:
        """Close the connections; a question under way is left alone."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()
