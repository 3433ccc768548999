"""Requests to a provider: within its budget, with a time limit, tried again with pauses, and not against a wall."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ingestor.sources.live.attempts import attempts
from ingestor.sources.live.budget import Budget
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.packages import live_package
from ingestor.sources.live.provider import BudgetSpentError, Limits, ProviderAwayError
from schemas.errors import StopAndSayError

_log = logging.getLogger(__name__)

#: What fails is sent so often.
ATTEMPTS = 4
_LONGEST_PAUSE_SECONDS = 30.0
#: After so many failures in a row nothing is asked for a while.
_BREAKER_FAILURES = 8
_BREAKER_SECONDS = 60.0

Answer = TypeVar("Answer")


class BreakerOpenError(ProviderAwayError):
    """It failed so often that it is left alone for a while."""


class Calls:
    """Makes the requests of one provider.

    Args:
        answer_seconds: Time limit of a request.
        most_attempts: So often a request is sent, at most.
        pause_seconds: Before the second attempt; each later one is twice as long, all with jitter.
    """

    def __init__(
        self,
        source: str,
        budget: Budget,
        figures: LiveFigures,
        *,
        answer_seconds: float,
        most_attempts: int = ATTEMPTS,
        pause_seconds: float = 0.5,
    ) -> None:
        self._source = source
        self._budget = budget
        self._figures = figures
        self._answer_seconds = answer_seconds
        self._attempts = attempts(most_attempts, pause_seconds, _LONGEST_PAUSE_SECONDS)
        purgatory = live_package("purgatory")
        self._opened: type[Exception] = live_package("purgatory.domain.model").OpenedState
        self._breakers = purgatory.AsyncCircuitBreakerFactory(
            default_threshold=_BREAKER_FAILURES,
            default_ttl=_BREAKER_SECONDS,
            exclude=[BudgetSpentError, StopAndSayError],
        )

    @property
    def limits(self) -> Limits:
        """Give what the plan allows."""
        return self._budget.limits

    def left_today(self, until_ns: int | None = None) -> int | None:
        """Give how many requests the limit of a day allows now, or from now until a time; None: any number."""
        return self._budget.left_today(until_ns)

    async def make(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send a request until it is answered, as often as that makes sense.

        Args:
            request: Sends it; raises `ProviderAwayError` where another attempt may help.

        Raises:
            ProviderAwayError: It does not answer.
            BudgetSpentError: The plan allows no request now.
            StopAndSayError: It refuses the key, or the plan.
        """
        answer: Answer = await self._attempts(_pause_before_next, self._once, request)
        return answer

    async def _once(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        breaker = await self._breakers.get_breaker(self._source)
        try:
            async with breaker:
                return await self._within_budget(request)
        except self._opened as error:
            raise BreakerOpenError(f"{self._source} failed {_BREAKER_FAILURES} times in a row: left alone") from error

    async def _within_budget(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        result = "failed"
        try:
            await self._budget.take()
            async with asyncio.timeout(self._answer_seconds):  # `wait_for` may swallow the end of whoever asks
                answer = await request()
            result = "answered"
        except TimeoutError as error:
            raise ProviderAwayError(f"{self._source} does not answer within {self._answer_seconds:g} s") from error
        except BudgetSpentError:
            result = "withheld"
            raise
        except StopAndSayError:
            result = "refused"
            raise
        finally:
            self._figures.request(result, self._budget.left_today())
        return answer


def _pause_before_next(error: Exception) -> bool | float:
    """Say whether another attempt makes sense, and when where the provider says so."""
    if not isinstance(error, ProviderAwayError) or isinstance(error, BreakerOpenError):
        return False
    _log.info("trying again: %s", error)
    if error.retry_after_seconds is None:
        return True
    return error.retry_after_seconds if error.retry_after_seconds <= _LONGEST_PAUSE_SECONDS else False
