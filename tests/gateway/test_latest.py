"""The view holds the highest of each ticker, whatever comes in which order."""

import json
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.entries import order_of
from gateway.latest import LatestView
from schemas.codec import UndecodableError
from tests.gateway.contract import read_message
from tests.gateway.samples import prediction

PLACES = st.lists(
    st.tuples(st.sampled_from(["AAPL", "IBM", "MSFT"]), st.integers(0, 5), st.integers(1, 4), st.booleans()),
    max_size=40,
)


@given(PLACES)
def test_the_view_equals_the_highest_of_what_it_was_given_after_every_record(
    places: Sequence[tuple[str, int, int, bool]],
) -> None:
    view = LatestView()
    highest: dict[str, tuple[int, int, bool]] = {}
    for number, (ticker, offset, bar_index, provisional) in enumerate(places):
        event = prediction(ticker, offset, id=str(number), bar_index=bar_index, provisional=provisional)
        entry = view.accept(event)
        above = ticker not in highest or order_of(event) > highest[ticker]
        assert (entry is not None) == above
        if above:
            highest[ticker] = order_of(event)
        assert {entry.ticker: entry.order for entry in view.entries()} == highest


def test_one_frame_closes_two_bars_and_both_are_taken_in_order() -> None:
    view = LatestView()
    assert view.accept(prediction(offset=7, bar_index=10, provisional=True)) is not None
    assert view.accept(prediction(offset=8, bar_index=11)) is not None
    assert view.accept(prediction(offset=8, bar_index=12)) is not None
    assert view.accept(prediction(offset=8, bar_index=12, provisional=True)) is not None
    assert view.accept(prediction(offset=8, bar_index=12)) is None


def test_rest_and_socket_bytes_say_the_same_beside_the_place_in_the_log() -> None:
    view = LatestView()
    first = view.accept(prediction("IBM", 3), seq=7)
    second = view.accept(prediction("IBM", 4, provisional=True), seq=9)
    third = view.accept(prediction("IBM", 5), seq=12)
    assert first is not None
    assert second is not None
    assert third is not None
    said = []
    for entry in (first, second, third):
        message = read_message(entry.message().payload.decode())
        assert read_message(entry.message(packed=True).payload) == message
        assert message == {"type": "prediction"} | json.loads(entry.item)
        said.append({name: message.pop(name) for name in ("seq", "prev", "prev_final") if name in message})
        assert message == {"type": "prediction"} | json.loads(entry.body)
    assert said == [
        {"seq": 7, "prev": None, "prev_final": None},
        {"seq": 9, "prev": 7},
        {"seq": 12, "prev": 9, "prev_final": 7},
    ]
    assert json.loads(view.all_bytes()) == {"count": 1, "predictions": [json.loads(third.body)]}


def test_an_update_is_written_and_framed_once_however_many_want_it() -> None:
    entry = LatestView().accept(prediction("IBM", 3))
    assert entry is not None
    for packed in (False, True):
        assert entry.message(packed=packed) is entry.message(packed=packed)
        assert entry.message(packed=packed).frame is entry.message(packed=packed).frame


def test_the_whole_snapshot_is_made_once_between_two_changes() -> None:
    view = LatestView()
    view.accept(prediction("MSFT", 1))
    whole = view.whole_snapshot()
    assert view.whole_snapshot() is whole
    assert whole[0].message() is whole[0].message()
    view.accept(prediction("MSFT", 2))
    assert view.whole_snapshot() is not whole


def test_all_bytes_follow_every_change() -> None:
    view = LatestView()
    assert json.loads(view.all_bytes())["count"] == 0
    view.accept(prediction("MSFT", 1))
    view.accept(prediction("AAPL", 1))
    assert [p["ticker"] for p in json.loads(view.all_bytes())["predictions"]] == ["AAPL", "MSFT"]
    view.accept(prediction("AAPL", 2, current_price=151.0))
    assert json.loads(view.all_bytes())["predictions"][0]["current_price"] == 151.0
    view.forget("AAPL")
    assert [p["ticker"] for p in json.loads(view.all_bytes())["predictions"]] == ["MSFT"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ticker": "aapl"}, "ticker"),
        ({"horizons": []}, "horizons"),
        ({"as_of_ns": 2**62 * 100}, "time"),
        ({"predicted_at_ns": -(10**30)}, "time"),
        ({"source_offset": 2**53}, "source_offset"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_changes_nothing(changes: dict[str, object], named: str) -> None:
    view = LatestView()
    view.accept(prediction("AAPL", 1))
    before = view.all_bytes()
    with pytest.raises(UndecodableError, match=named):
        view.accept(msgspec.structs.replace(prediction("AAPL", 2), **changes))
    assert view.all_bytes() == before


def test_near_matches_name_the_likely_ones_first_and_never_the_unlike() -> None:
    view = LatestView()
    for ticker in ("AAPL", "AMZN", "GOOG", "GOOGL", "IBM"):
        view.accept(prediction(ticker))
    assert view.near("AAPK")[0] == "AAPL"
    assert set(view.near("GOOGLE")) == {"GOOG", "GOOGL"}
    assert view.near("ZZZZ") == []
