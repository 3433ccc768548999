"""What the person who started the system is told."""

import asyncio
import io
import json
from typing import Any

import pytest

from deploy.first_prediction import greet, sentence
from deploy.log_lines import Log
from schemas.times import from_rfc3339

STARTED = "2026-01-02T03:04:05Z"
BEFORE, AFTER = "2026-01-02T03:04:04.999Z", "2026-01-02T03:04:05.001Z"


def _prediction(degraded: str | None, updated_at: str = AFTER) -> dict[str, Any]:
    return {
        "ticker": "AAPL",
        "current_price": 30.572,
        "timestamp": "2010-01-04T21:00:00Z",
        "updated_at": updated_at,
        "degraded": degraded,
        "prediction": {"direction": "bullish", "price_target": 30.611, "confidence": 0.534},
    }


def test_a_prediction_is_said_in_one_sentence() -> None:
    assert sentence(_prediction("untrained")) == (
        "AAPL at 30.57 on 2010-01-04T21:00:00Z: bullish, target 30.61, confidence 0.53 (untrained)"
    )


async def _greeting(monkeypatch: pytest.MonkeyPatch, *answers: list[dict[str, Any]]) -> list[str]:
    coming = iter(answers)

    async def fetch(url: str) -> tuple[int, bytes]:
        if url.endswith("/health"):
            return 200, b"{}"
        return 200, json.dumps({"predictions": next(coming)}).encode()

    monkeypatch.setattr("deploy.readiness.fetch", fetch)
    monkeypatch.setattr("deploy.readiness.ASK_EVERY_SECONDS", 0)
    stream = io.StringIO()
    await greet("http://127.0.0.1:8000", Log(stream, colour=False), from_rfc3339(STARTED))
    assert next(coming, None) is None
    return stream.getvalue().splitlines()


async def test_the_first_prediction_is_shown_and_then_the_first_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    untrained, trained = [_prediction("untrained")], [_prediction("untrained"), _prediction(None)]
    hello, first, how, models = await _greeting(monkeypatch, [], [], untrained, untrained, trained)
    assert "open http://127.0.0.1:8000/ in a browser" in hello
    assert "first prediction: AAPL at 30.57" in first
    assert "curl http://127.0.0.1:8000/predict/AAPL" in how
    assert "the models answer now: AAPL" in models


async def test_where_a_key_is_asked_for_it_says_so_and_does_not_ask_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def fetch(url: str) -> tuple[int, bytes]:
        asked.append(url)
        return (200, b"{}") if url.endswith("/health") else (401, b"{}")

    monkeypatch.setattr("deploy.readiness.fetch", fetch)
    stream = io.StringIO()
    await asyncio.wait_for(greet("http://127.0.0.1:8000", Log(stream, colour=False), 0), 10)
    assert "tickcast keys create" in stream.getvalue()
    assert len(asked) == 2


async def test_predictions_of_the_run_before_are_not_the_first_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    old, old_trained = _prediction("untrained", BEFORE), _prediction(None, BEFORE)
    new, new_trained = _prediction("warming up"), _prediction(None)
    answers = [old_trained], [old, new], [old_trained, new], [old_trained, new_trained]
    _, first, _, models = await _greeting(monkeypatch, *answers)
    assert "(warming up)" in first
    assert "the models answer now" in models


async def test_a_system_with_trained_models_needs_no_line_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(await _greeting(monkeypatch, [_prediction(None)])) == 3


async def test_old_models_are_models_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = "stale: retrain_recommended"
    assert len(await _greeting(monkeypatch, [_prediction(stale)])) == 3
    assert len(await _greeting(monkeypatch, [_prediction("untrained")], [_prediction(stale)])) == 4
