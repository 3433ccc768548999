"""Ratings of predictions, kept in the database."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from gateway.access.keys import make_key
from gateway.access.scopes import Scope
from gateway.database.engine import open_engine
from gateway.database.feedback import FEEDBACK
from gateway.parts import Parts
from gateway.presentation import time_text
from tests.gateway.samples import NOON_NS, make_parts, prediction
from tests.gateway.web import client_of

_OF_ID = {"ticker": "aapl", "id": "AAPL/3", "rating": 1}
_AS_OF = {"ticker": "AAPL", "as_of": "2024-01-01T12:00:00.000001Z", "horizon": 5, "rating": -1, "comment": "ü €"}


async def post(parts: Parts, body: Any, status: int, **headers: str) -> Any:
    async with client_of(parts) as client:
        answer = await client.post("/api/v1/feedback", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def kept(parts: Parts) -> list[dict[str, Any]]:
    engine = open_engine(parts.settings)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(FEEDBACK).order_by(FEEDBACK.c.rating)).mappings()]
    engine.dispose()
    return rows


async def test_a_rating_is_kept_with_the_prediction_it_is_of(database_url: str) -> None:
    parts = make_parts(prediction("AAPL", 3), database_url=SecretStr(database_url))
    receipts = [await post(parts, body, 201) for body in (_AS_OF, _OF_ID)]
    assert {each["created_at"] for each in receipts} == {time_text(parts.clock_ns())}
    common = {"ticker": "AAPL", "interval": "1d", "key_id": None, "created_ns": parts.clock_ns()}
    of_time = {"prediction_id": None, "as_of_ns": NOON_NS + 1_000, "horizon": 5, "rating": -1, "comment": "ü €"}
    of_id = {"prediction_id": "AAPL/3", "as_of_ns": None, "horizon": None, "rating": 1, "comment": None}
    wanted = [common | {"id": receipt["id"]} | own for receipt, own in zip(receipts, (of_time, of_id), strict=True)]
    assert kept(parts) == wanted


async def test_a_rating_has_the_id_of_the_key_that_it_came_with(database_url: str) -> None:
    parts = make_parts(prediction("AAPL"), database_url=SecretStr(database_url), auth_required=True)
    text, key = make_key("me", frozenset({Scope.READ}), parts.clock_ns() - 1)
    parts.keys.accept([key])
    await post(parts, _OF_ID, 401)
    await post(parts, _OF_ID, 201, **{"X-API-Key": text})
    assert [row["key_id"] for row in kept(parts)] == [key.id]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": "1"}, "rating"),
        ({"rating": None}, "rating"),
        ({"id": None}, "id"),
        ({"as_of": "2024-01-01T12:00:00Z", "horizon": 1}, "id"),
        ({"id": None, "as_of": "2024-01-01T12:00:00Z"}, "horizon"),
        ({"id": None, "as_of": "yesterday", "horizon": 1}, "as_of"),
        ({"id": "x" * 513}, "id"),
        ({"horizon": 0}, "horizon"),
        ({"comment": "x" * 1_001}, "comment"),
        ({"comment": "\0"}, "comment"),
        ({"ticker": "A A"}, "ticker"),
        ({"stars": 5}, "stars"),
    ],
)
async def test_what_cannot_be_kept_is_named(changes: dict[str, Any], field: str) -> None:
    problem = await post(make_parts(prediction("AAPL")), _OF_ID | changes, 400)
    assert problem["field"] == field


async def test_half_a_character_is_no_json() -> None:
    body = b'{"ticker": "AAPL", "id": "one", "rating": 1, "comment": "\\udc00"}'
    async with client_of(make_parts(prediction("AAPL"))) as client:
        answer = await client.post("/feedback", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


async def test_of_an_unknown_ticker_there_is_nothing_to_rate() -> None:
    await post(make_parts(prediction("AAPL")), _OF_ID | {"ticker": "AAPX"}, 404)


async def test_without_a_database_a_rating_is_not_taken() -> None:
    url = SecretStr("postgresql://nobody:s3cret@127.0.0.1:1/nothing")
    parts = make_parts(prediction("AAPL"), database_url=url, database_answer_seconds=1.0)
    problem = await post(parts, _OF_ID, 503)
    assert "s3cret" not in str(problem)
