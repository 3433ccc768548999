"""Passwords through argon2id: in threads, two at a time, for each takes 20 MB and tens of milliseconds."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from http import HTTPStatus

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.problems import ProblemError

_AT_A_TIME = 2
_MOST_WAITING = 32
#: OWASP's recommendation for one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """Give what is kept of a password."""
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


class Passwords:
    """Hashes and checks, beside the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_A_TIME, "passwords")
        self._waiting = 0

    @cached_property
    def _of_nobody(self) -> str:
        return hash_password(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """Give what is kept of a password.

        Raises:
            ProblemError: 503: too many wait.
        """
        self._queue()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, hash_password, password)
        finally:
            self._waiting -= 1

    async def fits(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one that was kept; where there is none, that takes as long.

        Raises:
            ProblemError: 503: too many wait.
        """
        self._queue()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._fits, password, kept)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _queue(self) -> None:
        if self._waiting >= _MOST_WAITING:
            detail = f"{_MOST_WAITING} passwords wait to be looked at: try again in a moment"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-log-ins", detail, {"Retry-After": "1"})
        self._waiting += 1

    def _fits(self, password: str, kept: str | None) -> bool:
        nobody = self._of_nobody  # made at the first question, whoever is asked for
        try:
            return _hasher.verify(kept or nobody, password.encode("utf-8", "surrogatepass")) and kept is not None
        except (VerificationError, InvalidHashError):
            return False
