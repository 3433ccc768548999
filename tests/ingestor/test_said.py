"""What history adds to what was said."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.said import SaidBars
from tests.ingestor.fold import FoldedBar, fold

_MINUTE = 60 * 10**9
_ticks = st.lists(
    st.tuples(st.integers(0, _MINUTE - 1), st.integers(1, 20).map(float), st.integers(0, 9).map(float)), min_size=1
)


def _folded_in_time(ticks: list[tuple[int, float, float]]) -> FoldedBar:
    rows = [("A", time, price, size) for time, price, size in sorted(ticks, key=lambda tick: tick[0])]
    return fold(rows, _MINUTE)["A"][0]


@given(_ticks, st.data())
def test_whatever_part_was_said_the_additions_make_the_whole_bar(
    ticks: list[tuple[int, float, float]], data: st.DataObject
) -> None:
    ticks = sorted(ticks, key=lambda tick: tick[0])
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(ticks))] * 2)))
    heard = ticks[first:last]
    whole = _folded_in_time(ticks)
    said = SaidBars(_MINUTE)
    for time_ns, price, size in heard:
        said.add("A", time_ns, price, size)
    bar = PlayedBar("A", whole.open, whole.high, whole.low, whole.close, whole.volume)
    added = [(tick.time_ns, tick.price, tick.size) for tick in said.additions(0, _MINUTE, [bar])]
    assert all(0 <= time_ns < _MINUTE and size >= 0 for time_ns, _, size in added)
    made = _folded_in_time([*heard, *added])
    opens_equal = made.open == whole.open or (heard and heard[0][0] == 0)  # two ticks of one time: the first came first
    assert opens_equal
    assert (made.high, made.low, made.close, made.volume) == (whole.high, whole.low, whole.close, whole.volume)


def test_what_is_forgotten_is_said_anew_and_other_bars_are_not_touched() -> None:
    said = SaidBars(_MINUTE)
    said.add("A", 1, 5.0, 1.0)
    said.add("A", _MINUTE, 6.0, 1.0)
    bar = PlayedBar("A", 5.0, 5.0, 5.0, 5.0, 1.0)
    assert said.additions(0, _MINUTE, [bar]) == []
    said.forget_before(_MINUTE)
    assert len(said.additions(0, _MINUTE, [bar])) == 4
    assert said.additions(_MINUTE, _MINUTE, [PlayedBar("A", 6.0, 6.0, 6.0, 6.0, 1.0)]) == []
