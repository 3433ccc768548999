"""Users and sessions in the database, asked from an event loop: in threads, and within a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Lock
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.database.migrate import open_migrated
from gateway.database.settings import DatabaseSettings
from gateway.problems import ProblemError

_THREADS = 2

Answer = TypeVar("Answer")


class Ledger:
    """The database as accounts write it. Nothing is opened before somebody asks."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(_THREADS, "accounts")
        self._opening = Lock()
        self._engine: Engine | None = None

    async def ask(self, work: Callable[[Engine], Answer]) -> Answer:
        """Give what a piece of work gives, which is done in a thread.

        Raises:
            ProblemError: 503: the database does not answer, or not in time.
        """
        try:
            async with asyncio.timeout(self._settings.database_answer_seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._do, work)
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            detail = "the database does not answer, and it alone knows the users: try again in a few seconds"
            status = HTTPStatus.SERVICE_UNAVAILABLE
            raise ProblemError(status, "accounts-unavailable", detail, {"Retry-After": "5"}) from error

    def _do(self, work: Callable[[Engine], Answer]) -> Answer:
        with self._opening:
            if self._engine is None:
                self._engine = open_migrated(self._settings)
        return work(self._engine)

    def close(self) -> None:
        """Close the connections; a question under way is left alone."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()
