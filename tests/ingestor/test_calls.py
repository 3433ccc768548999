"""Requests that fail."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingestor.sources.live.budget import Budget
from ingestor.sources.live.calls import BreakerOpenError, Calls
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.provider import BudgetSpentError, Limits, ProviderAwayError
from schemas.errors import StopAndSayError


class _Provider:
    """Fails as told, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def make_calls(tmp_path: Path, registry: CollectorRegistry) -> Callable[..., Calls]:
    figures = LiveFigures("fake", registry)

    def make(per_day: int | None = None, answer_seconds: float = 5.0) -> Calls:
        budget = Budget("fake", Limits(per_day=per_day), tmp_path)
        return Calls("fake", budget, figures, answer_seconds=answer_seconds, pause_seconds=0.001)

    return make


def _count(registry: CollectorRegistry, result: str) -> float:
    value = registry.get_sample_value("tickcast_source_requests_total", {"source": "fake", "result": result})
    return value or 0.0


def test_a_provider_that_is_away_is_asked_again(make_calls: Callable[..., Calls], registry: CollectorRegistry) -> None:
    provider = _Provider(ProviderAwayError("500"), ProviderAwayError("429", retry_after_seconds=0.01))
    assert asyncio.run(make_calls().make(provider)) == "answer"
    assert (provider.asked, _count(registry, "failed"), _count(registry, "answered")) == (3, 2, 1)


def test_every_attempt_costs_budget_and_none_is_sent_beyond_it(
    make_calls: Callable[..., Calls], registry: CollectorRegistry
) -> None:
    provider = _Provider(*[ProviderAwayError("500")] * 9)
    with pytest.raises(BudgetSpentError):
        asyncio.run(make_calls(per_day=2).make(provider))
    assert (provider.asked, _count(registry, "withheld")) == (2, 1)
    assert registry.get_sample_value("tickcast_source_left_requests", {"source": "fake"}) == 0


@pytest.mark.parametrize(
    "failure", [StopAndSayError("the key is wrong"), ProviderAwayError("429", retry_after_seconds=3_600)]
)
def test_what_another_attempt_would_not_help_is_not_tried_again(
    make_calls: Callable[..., Calls], failure: Exception
) -> None:
    provider = _Provider(failure)
    with pytest.raises(type(failure)):
        asyncio.run(make_calls().make(provider))
    assert provider.asked == 1


def test_who_fails_again_and_again_is_left_alone(make_calls: Callable[..., Calls]) -> None:
    provider, calls = _Provider(*[ProviderAwayError("500")] * 99), make_calls()

    async def ask_often() -> None:
        for _ in range(2):
            with pytest.raises(ProviderAwayError):
                await calls.make(provider)
        with pytest.raises(BreakerOpenError):
            await calls.make(provider)

    asyncio.run(ask_often())
    assert provider.asked == 8


def test_a_request_has_a_time_limit(make_calls: Callable[..., Calls]) -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    with pytest.raises(ProviderAwayError, match="does not answer within"):
        asyncio.run(make_calls(answer_seconds=0.01).make(never))
