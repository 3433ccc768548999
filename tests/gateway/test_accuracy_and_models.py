"""REST: how accurate it has been, which models serve, and why a prediction is what it is."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import httpx
import msgspec
import pytest
from msgspec import structs

from gateway.accuracy import Accuracy
from gateway.latest import LatestView
from gateway.members import Comparison
from gateway.parts import Parts
from gateway.reasons import ReasonedPrediction
from gateway.system_documents import TickerModelsDocument
from schemas.codec import UndecodableError
from schemas.events import OLD_MODELS, HoldOutScore, MemberHorizon, MemberPrediction, ModelAction, ServiceState
from schemas.times import NS_PER_SECOND
from tests.gateway.boards import EXAMPLE, board
from tests.gateway.samples import DAY_NS, NOON_NS, make_parts, model_event, model_member, prediction, status
from tests.gateway.test_http import problem
from tests.gateway.web import client_of

SCORE = HoldOutScore(horizon=1, count=9, mean_absolute_error=0.1, root_mean_squared_error=0.2)


def _member(name: str, log_return: float, weight: float) -> MemberPrediction:
    own = MemberHorizon(horizon=1, log_return=log_return, spread=0.02, confidence=0.6, weight=weight, prior_weight=0.5)
    return MemberPrediction(name=name, version=f"{name}-1", horizons=[own])


@pytest.fixture
def parts() -> Parts:
    models = [_member("forest", 0.01, 0.25), _member("lstm", -0.02, 0.75), _member("arima", 0.0, 0.0)]
    parts = make_parts(prediction("AAPL", 1, models=models), prediction("GOOG", 2, models=models))
    parts.board.set_state(ServiceState.READY)
    parts.scores.accept(board())
    members = [
        model_member(name="forest", feature_importance={"rsi_14": 0.4, "gap": 0.1}, hold_out=[SCORE]),
        model_member(name="lstm", feature_importance={"gap": 0.2, "atr_14": 0.0}),
    ]
    parts.models.accept(model_event(members=members, decided_at_ns=NOON_NS - DAY_NS, tickers=["AAPL"]), 0)
    return parts


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(parts) as client:
        yield client


async def test_accuracy_stands_beside_its_baseline_with_its_uncertainty(client: httpx.AsyncClient) -> None:
    said = msgspec.json.decode((await client.get("/accuracy/aapl")).content, type=Accuracy)
    first, known = said.horizons[0], EXAMPLE.horizons[0]
    assert (first.hit_rate_low, first.hit_rate, first.hit_rate_high) == (0.53082, 0.6, 0.66918)
    assert (first.precision, first.recall, first.f1) == (0.56604, 0.625, 0.59406)
    assert first.baseline_hit_rate == known.usual_hit_rate is not None
    assert first.baseline_root_mean_squared_error == known.naive.root_mean_squared_error
    assert (first.coverage_95, first.coverage_99) == (0.968, 0.992)
    assert said.total == sum(one.count for one in said.horizons)
    assert said.last_training is not None
    assert said.last_training.training_seconds == 7.0
    assert (said.message, said.through) == ("", "2011-01-10T00:00:00Z")


async def test_where_nothing_has_matured_accuracy_says_so(client: httpx.AsyncClient) -> None:
    for path, ticker in (("/accuracy", "*"), ("/accuracy/GOOG", "GOOG")):
        said = msgspec.json.decode((await client.get(path)).content, type=Accuracy)
        assert (said.ticker, said.horizons, said.total) == (ticker, [], 0)
        assert "matured" in said.message
    assert (await client.get("/accuracy")).json()["tickers"] == ["AAPL"]
    problem(await client.get("/accuracy/ZZZ"), 404)


async def test_the_newest_board_holds_and_older_ones_are_passed_over(parts: Parts) -> None:
    fuller = board(source_offset=EXAMPLE.source_offset, id="fuller")
    for each in (fuller, board(source_offset=EXAMPLE.source_offset - 1, id="older")):
        parts.scores.accept(each)
    assert parts.scores.get("AAPL") == fuller


async def test_a_board_that_cannot_be_said_is_refused(parts: Parts) -> None:
    score = structs.replace(EXAMPLE.horizons[0].ensemble, count=2**53)
    horizon = structs.replace(EXAMPLE.horizons[0], ensemble=score)
    for bad in (board("$"), board(through_ns=10**21), board(horizons=[horizon])):
        with pytest.raises(UndecodableError):
            parts.scores.accept(bad)


async def test_models_status_says_whether_they_serve_and_whether_to_retrain(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    body = (await client.get("/models/status")).json()
    assert (body["loaded"], body["ready"], body["age_seconds"]) == (True, False, 86_400.0)
    assert (body["retrain_recommended"], body["retrain_reasons"]) == (False, [])
    assert body["versions"] == {"forest": "1", "lstm": "1"}
    parts.services.accept(status("predictor"), NOON_NS)
    parts.scores.accept(board("*", drift={"retrain": "asked"}))
    parts.latest.accept(prediction("OLD", 3, degraded="stale: retrain_recommended"))
    body = (await client.get("/models/status")).json()
    assert (body["ready"], body["retrain_recommended"]) == (True, True)
    assert body["retrain_reasons"] == ["drift", "age"]


async def test_the_age_of_a_set_is_that_of_its_serving_whatever_was_decided_since(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.models.accept(model_event("set-2", NOON_NS - NS_PER_SECOND, serving="set-1", action=ModelAction.REJECTED), 0)
    body = (await client.get("/models/status")).json()
    assert (body["action"], body["serving"], body["age_seconds"]) == ("rejected", "set-1", 86_400.0)
    parts.models.accept(model_event("set-2", NOON_NS), 0)
    assert (await client.get("/models/status")).json()["age_seconds"] == 0.0
    parts.models.accept(model_event("set-1", NOON_NS + 1, action=ModelAction.ROLLED_BACK), 0)
    assert parts.models.serving_since_ns == NOON_NS + 1


@pytest.mark.parametrize(
    ("degraded", "old"),
    [
        ("stale: refused, retrain_recommended", True),
        ("without lstm; stale: retrain_recommended", True),
        ("without lstm", False),
    ],
)
async def test_old_models_are_to_be_retrained_whatever_else_is_missing(
    degraded: str, old: bool, client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.latest.accept(prediction("OLD", 3, degraded=degraded))
    body = (await client.get("/models/status")).json()
    assert body["retrain_reasons"] == (["age"] if old else [])


async def test_the_models_of_a_ticker_are_the_sets_and_its_own_weights_are_shown(client: httpx.AsyncClient) -> None:
    answer = await client.get("/model/status/AAPL")
    TickerModelsDocument.model_validate_json(answer.content, strict=True)
    body = answer.json()
    assert body["weights"] == {"lstm": 0.75, "forest": 0.25, "arima": 0.0}
    assert (body["answered_by"], body["serving"], body["in_training"]) == ("set-1", "set-1", True)
    assert (await client.get("/model/status/GOOG")).json()["in_training"] is False
    problem(await client.get("/model/status/ZZZ"), 404)


async def test_members_stand_side_by_side_with_their_errors(client: httpx.AsyncClient) -> None:
    said = msgspec.json.decode((await client.get("/models/compare/AAPL")).content, type=Comparison)
    first = said.horizons[0]
    assert [member.name for member in first.members] == ["lstm", "forest", "arima"]
    assert [member.direction for member in first.members] == ["bearish", "bullish", "neutral"]
    assert first.members[1].rolling == EXAMPLE.horizons[0].models["forest"]
    assert first.members[1].hold_out == SCORE
    assert first.members[1].price_target == pytest.approx(150 * 1.01005, rel=1e-6)
    assert (first.rolling_of, first.no_change_rolling) == ("AAPL", EXAMPLE.horizons[0].naive)
    assert said.training["forest"].feature_importance["rsi_14"] == 0.4
    other = msgspec.json.decode((await client.get("/models/compare/GOOG")).content, type=Comparison)
    assert other.horizons[0].rolling_of is None


async def test_a_prediction_comes_with_its_reasons_where_they_are_asked_for(client: httpx.AsyncClient) -> None:
    asked = {"ticker": "aapl", "timeframe": "1d", "include_reasoning": True}
    answer = await client.post("/predict", json=asked)
    assert answer.status_code == 200, answer.text
    said = msgspec.json.decode(answer.content, type=ReasonedPrediction)
    reasons = said.reasoning
    assert reasons is not None
    assert "lstm (75%) says -1.98 %, forest (25%) says +1.01 %" in reasons.summary
    assert [one.feature for one in reasons.drivers] == ["gap", "rsi_14"]
    assert [one.importance for one in reasons.drivers] == pytest.approx([0.175, 0.1])
    assert reasons.accuracy is not None
    assert (reasons.accuracy.horizon, reasons.accuracy_of) == (1, "AAPL")
    plain = (await client.post("/predict", json=asked | {"include_reasoning": False})).json()
    assert plain.pop("reasoning") is None
    assert plain == (await client.get("/predict/AAPL")).json()


@pytest.mark.parametrize(
    ("degraded", "caution"),
    [(OLD_MODELS, "its models are old: a retraining is recommended"), ("without lstm", "degraded: without lstm")],
)
async def test_old_models_are_a_caution_and_no_degradation(degraded: str, caution: str) -> None:
    asked = {"ticker": "AAPL", "timeframe": "1d", "include_reasoning": True}
    async with client_of(make_parts(prediction("AAPL", 1, degraded=degraded))) as client:
        said = (await client.post("/predict", json=asked)).json()["reasoning"]
    assert said["cautions"][0] == caution


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ticker"),
        ({"ticker": 1}, "ticker"),
        ({"ticker": "$"}, "ticker"),
        ({"ticker": "AAPL", "timeframe": "1y"}, "timeframe"),
        ({"ticker": "AAPL", "horizon": "1"}, "horizon"),
        ({"ticker": "AAPL", "horizont": 1}, "horizont"),
        ([], "body"),
        ("AAPL", "body"),
    ],
)
async def test_a_post_that_cannot_be_read_is_400_with_the_field(
    client: httpx.AsyncClient, body: Any, field: str
) -> None:
    assert problem(await client.post("/predict", json=body), 400)["field"] == field


async def test_what_is_not_json_is_refused(client: httpx.AsyncClient) -> None:
    json = {"Content-Type": "application/json"}
    for content in (b"", b"{", b"\xff", b"[" * 100_000):
        assert problem(await client.post("/predict", content=content, headers=json), 400)["field"] == "body"
    text = await client.post("/predict", content=b"{}", headers={"Content-Type": "text/plain"})
    assert problem(text, 415)["field"] == "Content-Type"


@pytest.mark.parametrize("bare", [True, False])
async def test_a_batch_answers_in_order_with_errors_in_their_places(client: httpx.AsyncClient, bare: bool) -> None:
    tickers = ["goog", "ZZZ", "AAPL", "$"]
    answer = await client.post("/predict/batch", json=tickers if bare else {"tickers": tickers})
    goog, unknown, aapl, invalid = answer.json()["predictions"]
    assert (goog, aapl) == ((await client.get("/predict/GOOG")).json(), (await client.get("/predict/AAPL")).json())
    assert (unknown["ticker"], unknown["error"]["status"]) == ("ZZZ", 404)
    assert (invalid["error"]["status"], invalid["error"]["field"]) == (400, "ticker")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "tickers"),
        (["AAPL"] * 5_001, "tickers"),
        ({"tickers": "AAPL"}, "tickers"),
        ({"tickers": ["AAPL", 1]}, "tickers[1]"),
        ({"symbols": ["AAPL"]}, "symbols"),
        (7, "body"),
    ],
)
async def test_a_batch_that_cannot_be_read_is_400_with_the_field(
    client: httpx.AsyncClient, body: Any, field: str
) -> None:
    said = problem(await client.post("/predict/batch", json=body), 400)
    assert said["field"] == field
    if len(body if isinstance(body, list) else []) > 500:
        assert said["maximum"] == 5_000


async def test_no_ticker_of_a_batch_has_the_loop_look_for_another_that_may_be_meant(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "did you mean AAPL" in (await client.get("/predict/AAPX")).json()["detail"]
    near = Mock(return_value=[])
    monkeypatch.setattr(LatestView, "near", near)
    (said,) = (await client.post("/predict/batch", json=["AAPX"])).json()["predictions"]
    assert "GET /predictions lists" in said["error"]["detail"]
    near.assert_not_called()


async def test_a_batch_of_the_largest_size_is_answered(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict/batch", json=["AAPL"] * 500)
    assert len(answer.json()["predictions"]) == 500
