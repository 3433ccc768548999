"""Forecasts from callers' own prices: asked once, answered to all who wait, kept for a while, never waited for long."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from gateway.forecasts import MOST_WAITING
from gateway.parts import Parts
from schemas.events import Forecast
from tests.gateway.predictor import Predictor
from tests.gateway.recorder.events import example
from tests.gateway.samples import make_parts, model_event, prediction
from tests.gateway.web import client_of, until

CLOSES = [100.0 + 0.1 * step for step in range(30)]


async def post(parts: Parts, body: Any, status: int = 200) -> Any:
    async with client_of(parts) as client:
        answer = await client.post("/api/v1/predict", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_prices_come_back_as_the_next_close(parts: Parts) -> None:
    predictor, forecast = Predictor(parts), example(Forecast)
    said = await post(parts, {"recent_prices": CLOSES, "ticker": "aapl"})
    assert said["prediction"] == forecast.horizons[0].price_target
    assert (said["model_type"], said["arima_order"]) == ("arima", forecast.arima_order)
    assert said["timestamp"].endswith("Z")
    [asked] = predictor.asked
    assert (asked.closes, asked.ticker, asked.interval) == (CLOSES, "AAPL", "1d")


async def test_equal_prices_are_asked_once_by_all_who_come_at_once_and_later(parts: Parts) -> None:
    predictor = Predictor(parts)
    answers = await asyncio.gather(*(post(parts, {"recent_prices": CLOSES}) for _ in range(5)))
    assert await post(parts, {"recent_prices": CLOSES}) == answers[0]
    assert len(predictor.asked) == 1
    await post(parts, {"recent_prices": [*CLOSES, 1.0]})
    assert len(predictor.asked) == 2
    parts.models.accept(model_event(serving="set-2"), 0)
    await post(parts, {"recent_prices": CLOSES})
    assert len(predictor.asked) == 3, "another set answers otherwise"


async def test_who_is_not_answered_in_time_is_told_and_may_ask_again() -> None:
    parts = make_parts(forecast_answer_seconds=0.2)
    predictor = Predictor(parts)
    predictor.silent = True
    problems = await asyncio.gather(*(post(parts, {"recent_prices": CLOSES}, 503) for _ in range(3)))
    assert all(problem["type"].endswith("no-answer") for problem in problems)
    late = structs.replace(example(Forecast), request_id=predictor.asked[0].id)
    parts.forecasts.answered(late)
    predictor.silent = False
    await post(parts, {"recent_prices": CLOSES})
    assert len(predictor.asked) == 2


async def test_what_the_predictor_refuses_is_400_and_names_the_field(parts: Parts) -> None:
    Predictor(parts, error="closes[3]: 1e+300 is no price: send numbers from 1e-09 to 1e+12", horizons=[])
    problem = await post(parts, {"recent_prices": [1e300] * 10}, 400)
    assert problem["field"] == "recent_prices[3]"
    assert "closes" not in problem["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"recent_prices": CLOSES[:9]}, "recent_prices"),
        ({"recent_prices": [*CLOSES, 0.0]}, "recent_prices[30]"),
        ({"recent_prices": [*CLOSES, "1"]}, "recent_prices[30]"),
        ({"recent_prices": CLOSES, "ticker": "not a symbol"}, "ticker"),
        ({"recent_prices": CLOSES, "horizon": 1}, "horizon"),
    ],
)
async def test_a_wrong_value_is_named_and_nobody_is_asked(body: Any, field: str, parts: Parts) -> None:
    predictor = Predictor(parts)
    assert (await post(parts, body, 400))["field"] == field
    assert predictor.asked == []


async def test_too_many_who_wait_are_sent_away() -> None:
    parts = make_parts(forecast_answer_seconds=60)
    predictor = Predictor(parts)
    predictor.silent = True
    async with client_of(parts) as client:
        bodies = [{"recent_prices": [*CLOSES, float(number + 1)]} for number in range(MOST_WAITING + 1)]
        waiting = [asyncio.create_task(client.post("/predict", json=body)) for body in bodies[:-1]]
        await until(lambda: len(predictor.asked) == MOST_WAITING, "the asking of all")
        answer = await client.post("/predict", json=bodies[-1])
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "too-many-forecasts")
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


@pytest.fixture
def parts() -> Parts:
    return make_parts(prediction("AAPL"))
