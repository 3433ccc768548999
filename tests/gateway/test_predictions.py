"""REST: predictions by horizon, filtered and paged, and how old they are."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.parts import Parts
from schemas.events import Direction, ServiceState
from tests.gateway.samples import NOON_NS, horizon, make_parts, prediction
from tests.gateway.test_http import problem
from tests.gateway.web import client_of


def _of(ticker: str, offset: int, confidence: float, direction: str, predicted_at_ns: int = NOON_NS) -> Any:
    first = horizon(1, confidence=confidence, direction=Direction(direction))
    horizons = [first, horizon(5), horizon(21)]
    return prediction(ticker, offset, horizons=horizons, predicted_at_ns=predicted_at_ns)


@pytest.fixture
def parts() -> Parts:
    parts = make_parts(
        _of("AAPL", 1, 0.7, "bullish"),
        _of("GOOG", 2, 0.6, "bearish", NOON_NS + 10**9),
        _of("MSFT", 3, 0.5, "neutral", NOON_NS + 2 * 10**9),
    )
    parts.board.set_state(ServiceState.READY)
    return parts


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(parts) as client:
        yield client


async def tickers(client: httpx.AsyncClient, query: str) -> list[str]:
    answer = await client.get(f"/predictions?{query}")
    assert answer.status_code == 200, answer.text
    return [one["ticker"] for one in answer.json()["predictions"]]


@pytest.mark.parametrize("asked", ["horizon=5", "timeframe=1w"])
async def test_a_horizon_is_asked_for_in_bars_or_by_its_name(client: httpx.AsyncClient, asked: str) -> None:
    plain = (await client.get("/predict/aapl")).json()
    for path in (f"/predict/AAPL?{asked}", f"/predict?symbol=aapl&{asked}"):
        body = (await client.get(path)).json()
        assert body["prediction"] == plain["horizons"][1]
        assert body | {"prediction": plain["prediction"]} == plain


async def test_1m_is_a_month_and_deprecated(client: httpx.AsyncClient) -> None:
    old, new = [await client.get(f"/predict/AAPL?timeframe={name}") for name in ("1m", "1mo")]
    assert old.content == new.content
    assert old.json()["prediction"]["horizon"] == 21
    assert old.headers["deprecation"].startswith("@")
    assert "deprecation" not in new.headers


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("horizon=2", "horizon"),
        ("horizon=0", "horizon"),
        ("horizon=x", "horizon"),
        ("timeframe=1y", "timeframe"),
        ("timeframe=", "timeframe"),
        ("horizon=1&timeframe=1d", "horizon"),
    ],
)
async def test_what_is_not_on_offer_is_400_with_the_field(client: httpx.AsyncClient, query: str, field: str) -> None:
    body = problem(await client.get(f"/predict/AAPL?{query}"), 400)
    assert body["field"] == field
    if body["title"] == "Not on offer":
        assert body["horizons"] == [1, 5, 21]
        assert body["timeframes"] == ["1d", "1w", "1mo"]


async def test_timeframes_are_of_daily_bars_only() -> None:
    async with client_of(make_parts(prediction("AAPL", interval="1m"))) as client:
        body = problem(await client.get("/predict/AAPL?timeframe=1d"), 400)
    assert (body["field"], body["timeframes"], body["horizons"]) == ("timeframe", [], [1, 5, 21])


async def test_a_symbol_must_be_given_as_a_parameter_too(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/predict"), 400)["field"] == "symbol"
    assert problem(await client.get("/predict?symbol=$"), 400)["field"] == "symbol"
    problem(await client.get("/predict?symbol=ZZZ"), 404)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tickers=msft,aapl,ZZZ", ["AAPL", "MSFT"]),
        ("min_confidence=0.6", ["AAPL", "GOOG"]),
        ("direction=neutral", ["MSFT"]),
        ("since=2024-01-01T12:00:01Z", ["MSFT"]),
        ("since=2024-01-01T13:00:00.5%2B01:00", ["GOOG", "MSFT"]),
        ("min_confidence=0.6&direction=bearish", ["GOOG"]),
        ("direction=bearish&tickers=AAPL", []),
    ],
)
async def test_predictions_are_filtered(client: httpx.AsyncClient, query: str, expected: list[str]) -> None:
    assert await tickers(client, query) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tickers=A$", "tickers"),
        ("tickers=", "tickers"),
        ("min_confidence=2", "min_confidence"),
        ("direction=up", "direction"),
        ("since=yesterday", "since"),
        ("since=2024-01-01T12:00:00", "since"),
        ("cursor=!", "cursor"),
        ("limit=0", "limit"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_400_with_the_field(
    client: httpx.AsyncClient, query: str, field: str
) -> None:
    assert problem(await client.get(f"/predictions?{query}"), 400)["field"] == field


async def test_pages_follow_each_other_without_a_gap(client: httpx.AsyncClient) -> None:
    first = (await client.get("/predictions?limit=2")).json()
    second = (await client.get(f"/predictions?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["ticker"] for one in first["predictions"] + second["predictions"]] == ["AAPL", "GOOG", "MSFT"]
    assert (first["count"], second["count"]) == (2, 1)
    assert "next_cursor" not in second


@pytest.mark.parametrize("query", ["", "?direction=bullish", "?limit=1"])
async def test_what_has_not_changed_is_304(client: httpx.AsyncClient, parts: Parts, query: str) -> None:
    etag = (await client.get(f"/predictions{query}")).headers["etag"]
    for known in (etag, f'W/{etag}, "other"', "*"):
        again = await client.get(f"/predictions{query}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    parts.latest.accept(_of("AAPL", 9, 0.8, "bullish"), 9)
    changed = await client.get(f"/predictions{query}", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("path", ["/predict/AAPL", "/predict/aapl", "/predict/AAPL?horizon=5", "/predictions"])
async def test_while_kafka_is_away_answers_carry_their_age(client: httpx.AsyncClient, parts: Parts, path: str) -> None:
    etag = (await client.get(path)).headers.get("etag", "")
    parts.board.set_state(ServiceState.DEGRADED, "Kafka is not answering")
    parts.condition.heard_at_ns = NOON_NS - 7 * 10**9
    answer = await client.get(path, headers={"If-None-Match": etag})
    body = answer.json()
    assert (answer.headers["age"], body["age_seconds"]) == ("7", 7.0)
    for one in body.get("predictions", [body]):
        assert one["degraded"].startswith("kafka: not answering")
    parts.board.set_state(ServiceState.READY)
    assert "age_seconds" not in (await client.get(path)).json()


async def test_bytes_are_made_once_for_each_update(client: httpx.AsyncClient, parts: Parts) -> None:
    entry = parts.latest.get("AAPL")
    assert entry is not None
    assert entry.body_of(5) is entry.body_of(5)
    assert entry.form is entry.form
    parts.latest.accept(prediction("AAPL", 2))
    assert (entry._form, entry._by_horizon) == (None, {})
