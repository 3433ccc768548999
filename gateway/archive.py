"""The recorded history, asked from an event loop: in threads, within a time, and never in the way of what is live."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings
from gateway.problems import ProblemError

_log = logging.getLogger(__name__)
_THREADS = 4

Answer = TypeVar("Answer")


def _away() -> ProblemError:
    detail = "the database does not answer: history waits for it, and what is live goes on; try again in a few seconds"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "history-unavailable", detail, {"Retry-After": "5"})


class Archive:
    """The database as the gateway reads it. Its tables are brought up to date before the first question."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._seconds = settings.database_answer_seconds
        self._threads = ThreadPoolExecutor(_THREADS, "archive")
        self._opening = Lock()
        self._engine: Engine | None = None
        self._answers = True

    async def ask(self, query: Callable[[Connection], Answer]) -> Answer:
        """Give what a query answers.

        Raises:
            ProblemError: 503: the database does not answer, or not in time.
        """
        try:
            async with asyncio.timeout(self._seconds):
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, query)
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            self._say(answers=False, error=error)
            raise _away() from error
        self._say(answers=True)
        return answer

    def _ask(self, query: Callable[[Connection], Answer]) -> Answer:
        with self._open().connect() as connection:
            return query(connection)

    def _open(self) -> Engine:
        with self._opening:
            if self._engine is None:
                engine = open_engine(self._settings)
                migrate(engine)
                self._engine = engine
            return self._engine

    def _say(self, *, answers: bool, error: Exception | None = None) -> None:
        if answers != self._answers:  # its own words may hold an address
            _log.warning("the database answers again" if answers else f"no database: {type(error).__name__}")
        self._answers = answers

    def close(self) -> None:
        """Close the connections; a question under way is left alone."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()
