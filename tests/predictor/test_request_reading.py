"""Requests from bytes, and what those are told that cannot be read."""

from typing import Any

import msgspec
import pytest

from predictor.forecasting import forecast
from predictor.request_reading import ForecastRequest, Unreadable, read_request
from schemas.codec import UndecodableError, encode
from tests.predictor.forecast_requests import TUESDAY_NOON_NS, arima_set, bars_of, closes, request

GOOD = {"id": "r-1", "interval": "1d", "requested_at_ns": TUESDAY_NOON_NS}
A_BAR = {"start_ns": 0, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}


def read(**fields: Any) -> ForecastRequest | Unreadable:
    return read_request(msgspec.json.encode({**GOOD, **fields}))


def test_closes_alone_are_a_request() -> None:
    prices = closes(64)
    asked = read(closes=prices)
    assert isinstance(asked, ForecastRequest)
    said = forecast(asked, arima_set(), "1d", 7)
    assert said.error is None
    assert said == forecast(request(prices), arima_set(), "1d", 7)


def test_what_the_released_schema_allows_is_read_as_it_was() -> None:
    for given in (request(closes(12)), request(bars=bars_of(closes(12)), ticker="AAPL")):
        asked = read_request(encode(given))
        assert msgspec.to_builtins(asked) == msgspec.to_builtins(given)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"interval": "7y"}, "interval: Invalid enum value '7y': send one of 1s, 1m, 5m, 1h, 1d"),
        ({"interval": None}, "interval: Expected `str`, got `null`: send one of 1s"),
        ({"requested_at_ns": 1.5}, "requested_at_ns: Expected `int`, got `float`: send nanoseconds since 1970"),
        ({"closes": [1.0, None]}, "closes[1]: Expected `float`, got `null`: send a list of numbers"),
        ({"closes": 7}, "closes: Expected `array`, got `int`: send a list of numbers"),
        ({"bars": None}, "bars: Expected `array`, got `null`: send bars with start_ns"),
        ({"bars": [A_BAR, {}]}, "bars[1]: Object missing required field `start_ns`: send bars with start_ns"),
        ({"bars": [A_BAR | {"close": "1"}]}, "bars[0].close: Expected `float`, got `str`: send bars with start_ns"),
        ({"ticker": 7}, "ticker: Expected `str | null`, got `int`: send a symbol like AAPL, or none"),
    ],
)
def test_a_request_that_cannot_be_read_says_who_asked_the_field_and_the_fix(changes: dict[str, Any], says: str) -> None:
    asked = read(**changes)
    assert isinstance(asked, Unreadable)
    assert asked.request_id == "r-1"
    assert asked.problem.startswith(says)


@pytest.mark.parametrize("field", ["interval", "requested_at_ns"])
def test_a_missing_field_is_named(field: str) -> None:
    asked = read_request(msgspec.json.encode({name: value for name, value in GOOD.items() if name != field}))
    assert isinstance(asked, Unreadable)
    assert asked.problem.startswith(f"{field}: Object missing required field `{field}`: send ")


def test_of_what_was_sent_little_is_repeated() -> None:
    asked = read(interval="y" * 100_000 + " - at `$.ticker`")
    assert isinstance(asked, Unreadable)
    assert asked.problem.startswith("interval: Invalid enum value 'yyy")
    assert len(asked.problem) < 300


@pytest.mark.parametrize(
    "value", [None, b"", b"no json", b"[]", b"{}", b'{"id": 7}', b'{"id": null}', b'{"id": "x"', b'{"id": "\xff"}']
)
def test_only_what_has_no_id_cannot_be_answered(value: bytes | None) -> None:
    with pytest.raises(UndecodableError, match="ForecastRequest: "):
        read_request(value)
