"""Named troubles with time, held against a reference that sees all ticks at once."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import hypothesis.strategies as some
import pytest
from hypothesis import Phase, find, given, settings

from tests.feature_stream.expected import Expected
from tests.feature_stream.runs import Run, run_over
from tests.feature_stream.said import assert_same_features, by_ticker
from tests.feature_stream.scenarios import SCENARIOS
from tests.feature_stream.test_quiet_lane import Fast

each_scenario = pytest.mark.parametrize("name", SCENARIOS)


@each_scenario
@given(data=some.data())
@settings(max_examples=20)
def test_ticks_bars_and_final_features_are_what_the_whole_log_says(name: str, data: some.DataObject) -> None:
    scenario = data.draw(SCENARIOS[name])
    expected = Expected(scenario.log, scenario.rules)
    run, fast = (run_over(scenario.log, scenario.rules, kind) for kind in (Run, Fast))
    assert (fast.bad, fast.bars, fast.features) == (run.bad, run.bars, run.features)
    assert [(offset, index, reason.split(":")[0]) for offset, index, reason in run.bad] == expected.reference.bad
    assert by_ticker(run.bars) == expected.bars()
    said, finals = by_ticker(run.features), expected.finals()
    assert said.keys() == finals.keys()
    for ticker, events in finals.items():
        assert_same_features(said[ticker], events)


@each_scenario
@given(data=some.data())
@settings(max_examples=10)
def test_a_provisional_word_at_any_offset_is_what_the_whole_log_says(name: str, data: some.DataObject) -> None:
    scenario = data.draw(SCENARIOS[name])
    if not scenario.log:
        return
    expected = Expected(scenario.log, scenario.rules)
    asked = data.draw(some.sets(some.integers(0, len(scenario.log) - 1), min_size=1, max_size=3))
    asked |= set(expected.reference.marks.offset.tolist()[-3:])  # where older bars close beside an open one
    run = Fast(scenario.rules)
    for offset, one in enumerate(scenario.log):
        run.take(one)
        if offset in asked and run.lane:
            run.lane.settle_all()
            for ticker in run.states:
                said, known = run.speak(ticker), expected.provisional(ticker, offset)
                assert (said is None) == (known is None)
                if said is not None and known is not None:
                    assert_same_features([said], [known])


def late(expected: Expected) -> bool:
    return any(reason == "late" for _, _, reason in expected.reference.bad)


def early(expected: Expected) -> bool:
    return any(reason == "early" for _, _, reason in expected.reference.bad)


def three_bars_open(expected: Expected) -> bool:
    """At the arrival of some tick that goes back in time, it and two newer bars of its ticker are open."""
    taken = expected.reference.taken
    for _, rows in taken.groupby("ticker"):
        for tick in rows.itertuples():
            beside = rows[(rows.arrival < tick.arrival) & (rows.closed_at > tick.arrival)]
            if beside[beside.start_ns > tick.start_ns].start_ns.nunique() >= 2:
                return True
    return False


def closed_by_a_mark(expected: Expected) -> bool:
    return bool(expected.reference.taken.closed_at.isin(expected.reference.marks.arrival).any())


def repeated_and_late(expected: Expected) -> bool:
    return bool(expected.reference.repeated) and late(expected)


def a_gap_between_bars(expected: Expected) -> bool:
    bars = expected.bars()
    return any(b.start_ns > a.end_ns for told in bars.values() for a, b in pairwise(told))


def one_ticker_from_two_sources(expected: Expected) -> bool:
    return closed_by_a_mark(expected) and any(rows.source.nunique() > 1 for rows in expected.tickers.values())


def cut_whole_and_opened_cut(expected: Expected) -> bool:
    """A gap cuts a bar that is open, another bar begins in it, and others are whole."""
    closed: Any = [row for bars in expected._closed.values() for row in bars.itertuples()]
    losses = expected.reference.losses
    opened_later = [any(row.opened_at > loss.arrival for loss in losses) for row in closed if row.partial]
    whole = any(not bar.partial for told in expected.bars().values() for bar in told)
    return whole and any(opened_later) and not all(opened_later)


def every_feature_there(expected: Expected) -> bool:
    return any(told[-1].model_inputs for told in expected.finals().values())


@pytest.mark.parametrize(
    ("name", "happens"),
    [
        ("noise", late),
        ("noise", early),
        ("late_ticks", late),
        ("late_ticks", every_feature_there),
        ("out_of_order", three_bars_open),
        ("out_of_order", closed_by_a_mark),
        ("jumping_clock", late),
        ("jumping_clock", early),
        ("announced_jump", a_gap_between_bars),
        ("duplicates", repeated_and_late),
        ("quiet_ticker", a_gap_between_bars),
        ("closing_market", closed_by_a_mark),
        ("closing_market", late),
        ("closing_market", every_feature_there),
        ("two_sources", one_ticker_from_two_sources),
        ("lost_ticks", cut_whole_and_opened_cut),
    ],
)
def test_the_trouble_really_happens(name: str, happens: Callable[[Expected], bool]) -> None:
    """Properties that hold for want of a case prove nothing."""
    find(
        SCENARIOS[name],
        lambda scenario: bool(scenario.log) and happens(Expected(scenario.log, scenario.rules)),
        settings=settings(max_examples=300, phases=[Phase.generate]),
    )
