from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import (
    bar_id,
    final_feature_id,
    outcome_id,
    prediction_id,
    provisional_feature_id,
    shadowed_id,
)
from schemas.times import INTERVALS

START_NS = 1_262_563_200_000_000_000
parts = st.tuples(
    st.sampled_from(["A", "AAPL", "BRK.B", "AAPL-1"]),
    st.sampled_from(INTERVALS),
    st.integers(0, 2**61),
    st.integers(0, 12),
    st.integers(0, 2**40),
)


def test_ids_as_others_will_read_them() -> None:
    final = final_feature_id("AAPL", "1d", START_NS)
    assert bar_id("AAPL", "1d", START_NS) == "AAPL:1d:2010-01-04T00:00:00Z"
    assert bar_id("AAPL", "1d", START_NS, partial=True) == "AAPL:1d:2010-01-04T00:00:00Z:partial"
    assert final == "AAPL:1d:2010-01-04T00:00:00Z:final"
    assert provisional_feature_id("AAPL", "1d", START_NS, 2, 41) == "AAPL:1d:2010-01-04T00:00:00Z:2.41"
    assert outcome_id("AAPL", "1d", START_NS, 5) == "AAPL:1d:2010-01-04T00:00:00Z:h5"
    assert prediction_id(final, "set-1", "prior", "w2", ["lstm", "forest"]) == f"{final}/set-1/prior/w2/forest+lstm"


@given(parts, parts)
def test_different_things_have_different_ids(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    assert (provisional_feature_id(*one) == provisional_feature_id(*other)) == (one == other)
    assert (bar_id(*one[:3]) == bar_id(*other[:3])) == (one[:3] == other[:3])
    assert (outcome_id(*one[:4]) == outcome_id(*other[:4])) == (one[:4] == other[:4])


@given(parts)
def test_no_two_kinds_of_thing_share_an_id(one: tuple) -> None:  # type: ignore[type-arg]
    ticker, interval, start_ns, number, offset = one
    ids = [
        bar_id(ticker, interval, start_ns),
        bar_id(ticker, interval, start_ns, partial=True),
        final_feature_id(ticker, interval, start_ns),
        provisional_feature_id(ticker, interval, start_ns, number, offset),
        outcome_id(ticker, interval, start_ns, number),
    ]
    assert len(set(ids)) == len(ids)


@given(st.permutations(["forest", "lstm", "xgboost"]))
def test_the_order_of_the_members_does_not_matter(members: list[str]) -> None:
    assert prediction_id("f", "s", "w", "i", members) == prediction_id("f", "s", "w", "i", sorted(members))


def test_each_version_and_each_member_counts() -> None:
    ids = {
        prediction_id("f", "s", "w", "i", ["a", "b"]),
        prediction_id("f2", "s", "w", "i", ["a", "b"]),
        prediction_id("f", "s2", "w", "i", ["a", "b"]),
        prediction_id("f", "s", "w2", "i", ["a", "b"]),
        prediction_id("f", "s", "w", "i2", ["a", "b"]),
        prediction_id("f", "s", "w", "i", ["a"]),
    }
    assert len(ids) == 6


def test_a_stale_set_and_a_set_beside_are_in_the_name_and_who_has_neither_keeps_the_old_one() -> None:
    names = ("f", "s", "w", "i", ["b", "a"])
    assert prediction_id(*names, stale=False) == prediction_id(*names)
    assert prediction_id(*names, 0.25, stale=True) == "f/s/w/i/a+b/signal-0.25/stale"
    assert shadowed_id("f/s/w/i/a+b", "t", "prior", ["d", "c"]) == "f/s/w/i/a+b/shadow/t/prior/c+d"
    ids = {
        shadowed_id("p", "t", "w", ["c"]),
        shadowed_id("q", "t", "w", ["c"]),
        shadowed_id("p", "u", "w", ["c"]),
        shadowed_id("p", "t", "v", ["c"]),
        shadowed_id("p", "t", "w", ["c", "d"]),
    }
    assert len(ids) == 5
