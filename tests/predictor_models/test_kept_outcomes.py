"""Which outcomes are kept while a topic goes by, and how many."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.training.kept_outcomes import KeptOutcomes
from schemas.events import Outcome
from tests.predictor_models.examples import DAY_NS
from tests.predictor_models.live_outcomes import outcome, said, shadow


def kept_of(outcomes: list[Outcome], dates: int, *, newest: bool) -> list[str]:
    kept = KeptOutcomes(lambda each: each.scored, 1, dates, newest=newest)
    for each in outcomes:
        kept.add(each)
    return [each.id for each in kept.in_order()]


@given(
    st.sets(st.tuples(st.sampled_from(("AAA", "BBB")), st.integers(700, 720), st.sampled_from((1, 5)), st.booleans())),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 99),
)
def test_in_whatever_order_they_come_those_of_the_asked_dates_are_kept(
    given_outcomes: set[tuple[str, int, int, bool]], dates: int, newest: bool, seed: int
) -> None:
    by_id = {
        each.id: each
        for ticker, day, horizon, scored in sorted(given_outcomes)
        for each in [outcome(ticker, day, horizon, scored=scored)]
    }
    mixed = [*by_id.values()] * 2
    Random(seed).shuffle(mixed)
    counting = [each for each in by_id.values() if each.scored]
    ends = sorted({each.matured_ns for each in counting if each.horizon == 1})
    asked = ends[-dates:] if newest else ends[:dates]
    full = len(ends) >= dates
    expected = [
        each
        for each in sorted(counting, key=lambda each: (each.matured_ns, each.ticker, each.horizon))
        if not full or (each.matured_ns >= asked[0] if newest else each.matured_ns <= asked[-1])
    ]
    assert kept_of(mixed, dates, newest=newest) == [each.id for each in expected]


@pytest.mark.parametrize("newest", [True, False])
def test_however_many_dates_go_by_no_more_are_held(newest: bool) -> None:
    kept = KeptOutcomes(lambda each: each.scored, 1, 10, newest=newest)
    for day in range(700, 3_000):
        kept.add(outcome("AAA", day))
        kept.add(outcome("BBB", day, scored=False))
    assert len(kept.in_order()) == 10
    assert sum(map(len, kept._by_date.values())) == 10


def test_of_what_does_not_count_nothing_is_held() -> None:
    kept = KeptOutcomes(lambda each: each.scored, 1, 10, newest=True)
    for day in range(700, 800):
        kept.add(outcome("AAA", day, scored=False))
    assert not kept._by_date


def test_what_no_comparison_asks_is_left_out() -> None:
    both = shadow("set-new", 0.01)
    both["shadow"]["forest"] = said(0.02)
    kept = KeptOutcomes(lambda _: True, 1, 5, newest=True)
    kept.add(outcome(day=700, models={"forest": said(0.03)}, **both))
    (found,) = kept.in_order()
    assert (found.models, list(found.shadow), found.as_of_ns) == ({}, ["ensemble"], 700 * DAY_NS)
