"""A bar as four ticks."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.bar_play import PlayedBar, four_prices, four_sizes, play_bars
from schemas.events import Origin
from tests.ingestor.fold import FoldedBar, fold, ticks_of

_volumes = st.one_of(
    st.floats(min_value=0, allow_nan=False, allow_infinity=False), st.integers(0, 2**53).map(float), st.just(5e-324)
)
_price = st.floats(min_value=1e-6, max_value=1e9)


@st.composite
def _bars(draw: st.DrawFn) -> PlayedBar:
    low, one, two, high = sorted(draw(st.tuples(_price, _price, _price, _price)))
    first, last = draw(st.sampled_from([(one, two), (two, one), (low, high), (high, low), (one, one)]))
    return PlayedBar("AAPL", first, high, low, last, draw(_volumes))


@given(_volumes)
def test_four_sizes_are_not_negative_and_add_up_in_order_to_the_volume_bit_for_bit(volume: float) -> None:
    sizes = four_sizes(volume)
    assert min(sizes) >= 0
    assert 0.0 + sizes[0] + sizes[1] + sizes[2] + sizes[3] == volume
    assert sizes[0] + sizes[1] + sizes[2] + sizes[3] == volume


def test_a_whole_volume_is_split_into_whole_sizes() -> None:
    assert four_sizes(10.0) == (2.0, 2.0, 2.0, 4.0)


@given(_bars())
def test_the_ticks_of_a_bar_fold_back_to_it_bit_for_bit(bar: PlayedBar) -> None:
    moments = [m for step in play_bars([bar], [10, 20, 30, 40], Origin.NORMAL, (0, 7), 100) for m in step]
    folded = fold(ticks_of(moments), 100)
    assert folded == {"AAPL": {0: FoldedBar(bar.open, bar.high, bar.low, bar.close, bar.volume, 4)}}


def test_the_low_comes_first_on_an_up_day_and_the_high_first_on_a_down_day() -> None:
    assert four_prices(PlayedBar("A", 10.0, 12.0, 9.0, 11.0, 1.0)) == (10.0, 9.0, 12.0, 11.0)
    assert four_prices(PlayedBar("A", 11.0, 12.0, 9.0, 10.0, 1.0)) == (11.0, 12.0, 9.0, 10.0)
    assert four_prices(PlayedBar("A", 10.0, 12.0, 9.0, 10.0, 1.0)) == (10.0, 9.0, 12.0, 10.0)


def test_bars_of_one_time_come_interleaved_and_the_watermark_comes_last_and_positions_rise() -> None:
    bars = [PlayedBar("A", 1.0, 4.0, 0.5, 2.0, 8.0), PlayedBar("B", 3.0, 4.0, 1.0, 2.0, 8.0)]
    steps = list(play_bars(bars, [10, 20, 30, 40], Origin.WARM_UP, (3, 5), 100))
    assert [[ticker for m in step for ticker in m.tickers] for step in steps] == [["A", "B"]] * 4
    moments = [moment for step in steps for moment in step]
    assert [m.position for m in moments] == [(3, 5, number) for number in range(1, 10)]
    assert [m.watermark_ns for m in moments] == [None] * 8 + [100]
    assert {m.origin for m in moments} == {Origin.WARM_UP}
