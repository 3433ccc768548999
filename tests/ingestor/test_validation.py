"""What may go into the stream."""

import json
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.moments import Moment
from ingestor.validation import LiveBounds, Validator
from schemas.events import Tick

_NOW_NS = 1_700_000_000 * 10**9
_LIVE = LiveBounds(maximum_jump=0.1, maximum_future_seconds=2.0)


def _moment(*ticks: Tick) -> Moment:
    return Moment(
        position=(1,),
        tickers=[tick.ticker for tick in ticks],
        times_ns=[tick.time_ns for tick in ticks],
        prices=[tick.price for tick in ticks],
        sizes=[tick.size for tick in ticks],
    )


def _priced(*prices: float, ticker: str = "AAPL") -> Moment:
    return _moment(*(Tick(ticker, _NOW_NS, price, 1.0) for price in prices))


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (Tick("AAPL", 1, nan, 1.0), "price"),
        (Tick("AAPL", 1, inf, 1.0), "price"),
        (Tick("AAPL", 1, 0.0, 1.0), "price"),
        (Tick("AAPL", 1, -1.0, 1.0), "price"),
        (Tick("AAPL", 1, 1.0, -1.0), "size"),
        (Tick("AAPL", 1, 1.0, nan), "size"),
        (Tick("AAPL", 1, 1.0, inf), "size"),
        (Tick("aapl", 1, 1.0, 1.0), "ticker"),
        (Tick("", 1, 1.0, 1.0), "ticker"),
        (Tick("A B", 1, 1.0, 1.0), "ticker"),
        (Tick("AAPL", -1, 1.0, 1.0), "time"),
        (Tick("AAPL", 2**63, 1.0, 1.0), "time"),
    ],
)
def test_a_bad_tick_is_rejected_with_its_fault_and_its_neighbours_stay(bad: Tick, code: str) -> None:
    before, after = Tick("MSFT", 1, 2.0, 0.0), Tick("IBM", 2, 3.0, 4.0)
    checked = Validator().check(_moment(before, bad, after), _NOW_NS)
    assert checked == Moment(
        position=(1,),
        tickers=["MSFT", "IBM"],
        times_ns=[1, 2],
        prices=[2.0, 3.0],
        sizes=[0.0, 4.0],
        rejected=checked.rejected,
    )
    assert [rejected.code for rejected in checked.rejected] == [code]
    assert json.loads(checked.rejected[0].value)["ticker"] == bad.ticker


def test_good_ticks_pass_as_they_are() -> None:
    moment = _moment(Tick("AAPL", 1, 1e-9, 0.0), Tick("BRK.B", 2**63 - 1, 1e300, 1e300))
    assert Validator().check(moment, _NOW_NS) is moment


def test_prices_whose_sum_overflows_are_still_judged_one_by_one() -> None:
    moment = _moment(Tick("AAPL", 1, 1.7e308, 1.0), Tick("AAPL", 2, 1.7e308, 1.0))
    assert Validator().check(moment, _NOW_NS) == moment


def test_a_live_tick_in_the_far_future_is_rejected_and_an_old_sources_is_not() -> None:
    early = _moment(Tick("AAPL", _NOW_NS + 2 * 10**9 + 1, 1.0, 1.0))
    assert [r.code for r in Validator(_LIVE).check(early, _NOW_NS).rejected] == ["time"]
    assert Validator().check(early, _NOW_NS) is early
    edge = _moment(Tick("AAPL", _NOW_NS + 2 * 10**9, 1.0, 1.0))
    assert Validator(_LIVE).check(edge, _NOW_NS) == edge


def test_a_jump_that_the_next_tick_confirms_goes_out_in_order() -> None:
    validator = Validator(_LIVE)
    assert validator.check(_priced(100.0), _NOW_NS).prices == [100.0]
    assert validator.check(_priced(150.0), _NOW_NS).prices == []
    confirmed = validator.check(_priced(151.0, 152.0), _NOW_NS)
    assert confirmed.prices == [150.0, 151.0, 152.0]
    assert confirmed.rejected == []


def test_a_jump_that_the_next_tick_does_not_confirm_is_rejected_and_the_rest_goes_on() -> None:
    checked = Validator(_LIVE).check(_priced(100.0, 1.0, 101.0, 102.0), _NOW_NS)
    assert checked.prices == [100.0, 101.0, 102.0]
    assert [json.loads(r.value)["price"] for r in checked.rejected] == [1.0]


def test_a_jump_of_one_ticker_waits_for_that_ticker_only() -> None:
    validator = Validator(_LIVE)
    validator.check(_priced(100.0), _NOW_NS)
    assert validator.check(_priced(200.0), _NOW_NS).prices == []
    assert validator.check(_priced(200.0, 201.0, ticker="MSFT"), _NOW_NS).prices == [200.0, 201.0]
    assert validator.check(_priced(201.0), _NOW_NS).prices == [200.0, 201.0]


def test_a_held_tick_is_rejected_at_the_end_and_none_is_held_without_a_bound() -> None:
    validator = Validator(_LIVE)
    validator.check(_priced(100.0, 200.0), _NOW_NS)
    assert [json.loads(r.value)["price"] for r in validator.release()] == [200.0]
    assert validator.release() == []
    unbounded = Validator(LiveBounds(maximum_jump=0.0, maximum_future_seconds=2.0))
    assert unbounded.check(_priced(100.0, 200.0), _NOW_NS).prices == [100.0, 200.0]


def _at(seconds: float) -> int:
    return _NOW_NS + int(seconds * 10**9)


def test_no_watermark_overtakes_a_held_tick() -> None:
    validator = Validator(_LIVE)
    validator.check(_priced(100.0), _NOW_NS)
    validator.check(_priced(150.0), _NOW_NS)
    mark = Moment(position=(2,), watermark_ns=_at(1))
    assert validator.check(mark, _at(1)).watermark_ns == _NOW_NS
    confirming = Moment(
        position=(3,), tickers=["AAPL"], times_ns=[_at(2)], prices=[150.0], sizes=[1.0], watermark_ns=_at(2)
    )
    confirmed = validator.check(confirming, _at(2))
    assert (confirmed.prices, confirmed.watermark_ns) == ([150.0, 150.0], _at(2))
    assert validator.check(mark, _at(3)) is mark


def test_a_tick_is_held_for_a_bounded_time_and_its_price_can_still_be_confirmed() -> None:
    validator = Validator(_LIVE)
    validator.check(_priced(100.0), _NOW_NS)
    validator.check(_priced(150.0), _NOW_NS)
    mark = Moment(position=(2,), watermark_ns=_at(11))
    checked = validator.check(mark, _at(11))
    assert checked.watermark_ns == _at(11)
    assert ["within 10 seconds" in bad.reason for bad in checked.rejected] == [True]
    assert validator.check(_priced(150.0), _at(60)).prices == [150.0]
    assert validator.check(_priced(151.0), _at(61)).prices == [151.0]


def test_a_price_that_was_given_up_and_not_confirmed_is_forgotten() -> None:
    validator = Validator(_LIVE)
    validator.check(_priced(100.0), _NOW_NS)
    validator.check(_priced(150.0), _NOW_NS)
    validator.check(Moment(position=(2,), watermark_ns=_at(11)), _at(11))
    assert validator.check(_priced(101.0), _at(12)).prices == [101.0]
    assert validator.check(_priced(150.0), _at(13)).prices == []


@given(st.lists(st.sampled_from([100.0, 105.0, 111.0, 200.0, 210.0, 1.0, nan, -1.0]), max_size=30))
def test_every_tick_is_accepted_or_rejected_once_and_the_accepted_keep_their_order(prices: list[float]) -> None:
    validator = Validator(_LIVE)
    ticks = [Tick("AAPL", _NOW_NS - 1_000 + number, price, 1.0) for number, price in enumerate(prices)]
    checked = [validator.check(_moment(tick), _NOW_NS) for tick in ticks]
    accepted = [time for moment in checked for time in moment.times_ns]
    rejected = [r for moment in checked for r in moment.rejected] + validator.release()
    assert accepted == sorted(accepted)
    assert sorted(accepted + [json.loads(r.value)["time_ns"] for r in rejected]) == [tick.time_ns for tick in ticks]
