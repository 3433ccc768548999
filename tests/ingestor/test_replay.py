"""Daily bars of the past, played as if they were live."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.sources.bars import BarColumns
from ingestor.sources.daily_prices import load_daily_bars
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace
from ingestor.sources.replay import PRICE_TIMES_NS, WARM_UP_BARS, ReplaySource
from ingestor.sources.replay_options import ReplayOptions
from schemas.errors import StopAndSayError
from schemas.events import Origin
from schemas.times import from_rfc3339
from tests.ingestor.clocks import ManualClock
from tests.ingestor.fold import FoldedBar, collect, fold, ticks_of

_DAY_NS = 86_400 * 10**9
_START = from_rfc3339("2010-01-04")
_FULL_SPEED = Pace(0)


def _played(
    options: ReplayOptions, after: Position | None = None, limit: int | None = None, pace: Pace = _FULL_SPEED
) -> list[Moment]:
    source = ReplaySource(load_daily_bars(), pace, options)
    return collect(source.ticks(after, {}), limit)


def _expected(bars: BarColumns) -> dict[int, FoldedBar]:
    columns = (bars.start_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {start: FoldedBar(first, high, low, last, volume, 4) for start, first, high, low, last, volume in rows}


def test_everything_played_folds_back_to_the_daily_bars_bit_for_bit() -> None:
    folded = fold(ticks_of(_played(ReplayOptions(_START))), _DAY_NS)
    bars = load_daily_bars()
    first = sorted(bars["IBM"].start_ns[bars["IBM"].start_ns < _START].tolist())[-WARM_UP_BARS]
    assert folded == {ticker: _expected(columns.between(first, None)) for ticker, columns in bars.items()}
    assert min(folded["FB"]) == from_rfc3339("2012-05-18")
    assert min(folded["AAPL"]) < _START


def test_ticks_come_in_the_order_of_their_times_and_watermarks_go_before_and_after_every_day() -> None:
    moments = _played(ReplayOptions(_START, from_rfc3339("2010-03-01")))
    times = [time for moment in moments for time in moment.times_ns]
    assert times == sorted(times)
    marks = [moment.watermark_ns for moment in moments if moment.watermark_ns is not None]
    days = sorted({time - time % _DAY_NS for time in times})
    assert marks == [mark for day in days for mark in (day + PRICE_TIMES_NS[0], day + _DAY_NS)]
    reached = 0
    for moment in moments:
        assert all(time >= reached for time in moment.times_ns), "a watermark was broken"
        reached = moment.watermark_ns or reached


def test_the_250_bars_before_the_start_are_marked_warm_up_and_the_rest_is_normal() -> None:
    moments = _played(ReplayOptions(_START, from_rfc3339("2010-02-01")))
    days = {
        origin: {m.times_ns[0] // _DAY_NS for m in moments if m.origin is origin and m.times_ns} for origin in Origin
    }
    assert len(days[Origin.WARM_UP]) == WARM_UP_BARS
    assert max(days[Origin.WARM_UP]) * _DAY_NS < _START
    assert min(days[Origin.NORMAL]) * _DAY_NS == _START
    assert len(days[Origin.NORMAL]) == 19


def test_the_warm_up_takes_no_time_and_then_a_day_takes_a_second_at_speed_one() -> None:
    clock = ManualClock()
    pace = Pace(1.0, clock, clock.sleep)
    _played(ReplayOptions(_START, from_rfc3339("2010-01-09")), pace=pace)
    assert clock.slept == pytest.approx([0.25] * (5 * 4 - 1))


def test_a_slow_replay_repeats_its_last_watermark_once_a_second() -> None:
    clock = ManualClock()
    options = ReplayOptions(_START, from_rfc3339("2010-01-07"))
    moments = _played(options, pace=Pace(0.1, clock, clock.sleep))
    at_full_speed = _played(options)
    assert ticks_of(moments) == ticks_of(at_full_speed)
    marks = [m.watermark_ns for m in moments if m.watermark_ns is not None]
    assert marks == sorted(marks)
    assert len(marks) == len([m for m in at_full_speed if m.watermark_ns is not None]) + 2 * len(clock.slept) // 3
    assert [m.position for m in moments] == sorted(m.position for m in moments)


def test_a_later_end_goes_on_where_an_earlier_one_ended() -> None:
    before = _played(ReplayOptions(_START, from_rfc3339("2010-01-08")))
    later = ReplayOptions(_START, from_rfc3339("2010-01-20"))
    assert before + _played(later, after=before[-1].position) == _played(later)


def test_a_loop_ends_before_prices_leave_what_numbers_allow(caplog: pytest.LogCaptureFixture) -> None:
    bars = load_daily_bars(["AAPL"])
    options = ReplayOptions(from_rfc3339("2004-08-01"), from_rfc3339("2007-12-31"), loop=True)
    source = ReplaySource(bars, _FULL_SPEED, options)
    growth = source._growth["AAPL"]
    assert growth > 10
    last = int(100 / np.log10(growth))
    source._pass_ns = 7 * _DAY_NS  # or time would end first
    prices = [price for m in collect(source.ticks((last, 0, 0), {})) for price in m.prices]
    assert 1e95 < max(prices) < 1e105
    assert "the loop ends after" in caplog.text
    assert "prices have drifted" in caplog.text


def test_a_replay_goes_on_after_a_position_with_what_it_would_have_played() -> None:
    options = ReplayOptions(_START, from_rfc3339("2010-01-09"))
    whole = _played(options)
    for cut in (0, 5, 16, 17, 18, 4_000, 4_249, 4_260, len(whole) - 1):
        assert _played(options, after=whole[cut].position) == whole[cut + 1 :]


def test_positions_rise_strictly_over_passes() -> None:
    moments = _played(ReplayOptions(_START, from_rfc3339("2010-01-12"), loop=True), limit=6_000)
    assert all(one.position < two.position for one, two in pairwise(moments))
    assert moments[-1].position[0] > 1


def test_a_later_pass_follows_the_last_in_time_on_the_same_weekdays_and_is_marked() -> None:
    options = ReplayOptions(_START, from_rfc3339("2010-02-01"), loop=True)
    moments = [m for m in _played(options, limit=8_000) if m.origin is not Origin.WARM_UP]
    passes = {
        number: sorted({time // _DAY_NS for m in moments if m.position[0] == number for time in m.times_ns})
        for number in range(3)
    }
    assert passes[0][-1] < passes[1][0] <= passes[0][-1] + 7
    assert {day - passes[0][index] for index, day in enumerate(passes[1])} == {28}
    assert {m.origin for m in moments if m.position[0] > 0} == {Origin.REPEAT}
    assert {m.origin for m in moments if m.position[0] == 0} == {Origin.NORMAL}


def test_a_later_pass_is_scaled_to_join_the_last_and_has_the_same_returns_and_volumes() -> None:
    options = ReplayOptions(_START, from_rfc3339("2010-02-01"), loop=True, asked=("AAPL",))
    source = ReplaySource(load_daily_bars(["AAPL"]), _FULL_SPEED, options)
    moments = collect(source.ticks((0, 10_000, 0), {}), 3 * 19 * 6)
    bars = list(fold(ticks_of(moments), _DAY_NS)["AAPL"].values())
    original = list(_expected(load_daily_bars(["AAPL"])["AAPL"].between(_START, from_rfc3339("2010-02-01"))).values())
    assert bars[0].open == pytest.approx(original[-1].close, rel=1e-12)
    for number in range(2):
        this, following = bars[19 * number : 19 * number + 19], bars[19 * number + 19 : 19 * number + 38]
        assert following[0].open == pytest.approx(this[-1].close, rel=1e-12)
        ratios = np.array([[bar.open, bar.high, bar.low, bar.close] for bar in this]) / [
            [bar.open, bar.high, bar.low, bar.close] for bar in original
        ]
        np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-12)
        assert [bar.volume for bar in this] == [bar.volume for bar in original]


def test_a_loop_ends_before_event_times_no_longer_fit() -> None:
    options = ReplayOptions(from_rfc3339("2000-03-01"), loop=True)
    moments = _played(options, after=(19, 3_200, 0))
    assert 2**63 - 1 - 14 * 365 * _DAY_NS < max(m.watermark_ns or 0 for m in moments) < 2**63


def test_an_empty_time_is_refused_with_the_times_there_are() -> None:
    with pytest.raises(StopAndSayError, match=r"START 2014-01-01 and .* run from 2000-03-01 to 2013-03-01"):
        _played(ReplayOptions(from_rfc3339("2014-01-01")))


def test_options_that_decide_the_content_are_told_apart_and_speed_is_none_of_them() -> None:
    def content(options: ReplayOptions, pace: Pace = _FULL_SPEED) -> dict[str, str]:
        return ReplaySource(load_daily_bars(), pace, options).content

    plain = content(ReplayOptions(_START))
    assert plain == content(ReplayOptions(_START), Pace(7.0))
    assert plain == content(ReplayOptions(_START, from_rfc3339("2011-01-01")))
    others = [
        ReplayOptions(from_rfc3339("2010-01-05")),
        ReplayOptions(_START, loop=True),
        ReplayOptions(_START, from_rfc3339("2011-01-01"), loop=True),
        ReplayOptions(_START, asked=("AAPL",)),
    ]
    texts = [str(content(options)) for options in others]
    assert len({str(plain), *texts}) == len(others) + 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4_000))
def test_any_cut_resumes_exactly(cut: int) -> None:
    options = ReplayOptions(_START, from_rfc3339("2010-01-20"), loop=True)
    whole = _played(options, limit=4_600)
    assert _played(options, after=whole[cut].position, limit=100) == whole[cut + 1 : cut + 101]
