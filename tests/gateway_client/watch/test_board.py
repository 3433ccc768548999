"""What the terminal makes of a stream's events."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gateway.client import Disconnected, PastBar, StartedAnew
from gateway.client.health import Health, ServiceHealth
from gateway.client.watch.board import Board
from gateway.client.watch.troubles import troubles
from gateway.client.watch.words import age, change, plain, price, spark
from schemas.asyncapi_messages import read_example
from schemas.events import OLD_MODELS
from schemas.sockets import Heartbeat, Snapshot
from schemas.times import NS_PER_SECOND, from_rfc3339
from tests.gateway_client.samples import streamed, subscribed, update, welcome

NOW_NS = from_rfc3339("2026-01-01T00:01:00Z")  # a minute before the gateway's clock, which `welcome` tells
PAST = msgspec.convert(read_example("BarMessage"), PastBar)


def board_with(*events: Any) -> Board:
    board = Board()
    for event in (welcome(timestamp="2026-01-01T00:02:00Z"), subscribed("*"), *events):
        board.take(event, NOW_NS)
    return board


def test_the_newest_of_each_ticker_is_kept_and_a_price_that_moves_is_seen_once() -> None:
    board = board_with(Snapshot([streamed("AAPL", 1, None), streamed("IBM", 2, None)]))
    assert board.seen() == set()
    board.take(update("AAPL", 3, 1, current_price=1.0), NOW_NS)
    board.take(replace(update("IBM", 4, 2), updated_at="2026-01-01T00:01:58Z"), NOW_NS)
    assert board.latest["AAPL"].current_price == 1.0
    assert (board.seen(), board.seen()) == ({"AAPL"}, set())
    board.take(StartedAnew("two"), NOW_NS)
    assert board.latest == {}


def test_ages_are_by_the_clock_of_the_gateway() -> None:
    fresh = streamed("AAPL", 1, None, updated_at="2026-01-01T00:01:57Z")
    board = board_with(Snapshot([fresh]))
    assert board.age_words(NOW_NS) == "newest data 3 s old"
    board.take(Heartbeat(1, 0, "2026-01-01T00:02:30Z"), NOW_NS)
    assert board.age_words(NOW_NS) == "newest data 33 s old"


def test_a_lost_connection_says_when_it_is_tried_again_and_how_old_the_rest_is() -> None:
    board = Board()
    assert board.link_words(NOW_NS) == "○ connecting"
    board = board_with(Snapshot([streamed("AAPL", 1, None, updated_at="2026-01-01T00:02:00Z")]))
    assert board.link_words(NOW_NS) == "● live"
    board.take(Disconnected(1001, "going\x1b[2Jaway", 4.0), NOW_NS)
    later_ns = NOW_NS + NS_PER_SECOND
    assert board.link_words(later_ns) == "○ not connected, trying again in 3 s"
    assert board.age_words(later_ns) == "what you see is 1 s old"
    assert board.reason == "going [2Jaway"
    board.take(welcome(), NOW_NS)
    assert board.link_words(NOW_NS) == "● live"


def test_the_small_line_is_what_was_recorded_carried_on_by_closed_bars_with_the_live_price_at_its_end() -> None:
    board = Board()
    closes = board.closes
    final = streamed("AAPL", 1, None, bar_index=9, current_price=3.0)
    closes.note(final)
    assert closes.line(final) == [], "nobody has asked what was recorded"
    closes.fill("AAPL", [replace(PAST, bar_index=index, close=float(index)) for index in (7, 8)])
    assert closes.unknown(["AAPL", "IBM"]) == ["IBM"]
    closes.note(replace(final, bar_index=8))
    closes.note(final)
    closes.note(final)
    forming = replace(final, provisional=True, current_price=4.0)
    closes.note(forming)
    assert closes.line(final) == [7.0, 8.0, 3.0]
    assert closes.line(forming) == [7.0, 8.0, 3.0, 4.0]


def test_what_is_degraded_is_said_of_services_and_of_predictions() -> None:
    ill = {"predictor": ServiceHealth(state="not_reporting", message="silent"), "gateway": ServiceHealth(state="ready")}
    assert troubles(Health(status="degraded", services=ill), []) == ["predictor is not reporting: silent"]
    assert troubles(Health(status="degraded"), []) == ["the system is degraded"]
    assert troubles(Health(status="healthy"), [streamed("AAPL", 1, None)]) == []
    fallen = [streamed("AAPL", 1, None, degraded="warming up"), streamed("IBM", 1, None)]
    assert troubles(None, fallen) == ["1 of 2 predictions are degraded: warming up"]


def test_models_that_are_merely_old_answer_in_full_and_those_refused_for_it_do_not() -> None:
    old = streamed("AAPL", 1, None, degraded=OLD_MODELS)
    assert troubles(None, [old]) == []
    refused = streamed("IBM", 1, None, degraded="stale: refused, retrain_recommended")
    assert troubles(None, [old, refused]) == [
        "1 of 2 predictions are degraded: stale: refused, retrain_recommended",
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (price(1234.5), "1,234.50"),
        (price(0.012345), "0.01235"),
        (price(0.0), "0.00"),
        (change(0.01234), "+1.23%"),
        (change(-0.000001), "0.00%"),
        (change(None), "-"),
        (age(-3), "0 s"),
        (age(90), "2 min"),
        (age(7_200), "2 h"),
        (age(200_000), "2 d"),
        (spark([1.0, 2.0, 3.0, 1.0], 3), "▅█▁"),
        (spark([2.0, 2.0], 8), "▁▁"),
        (spark([2.0], 8), ""),
        (plain("a\x1b]0;b\x07\u202ec\n"), "a ]0;b  c "),
    ],
)
def test_numbers_and_texts_are_written_for_people(said: str, expected: str) -> None:
    assert said == expected
