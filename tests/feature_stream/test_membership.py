"""A worker that lost its place writes nothing."""

import time

import pytest

from feature_stream.membership import MARGIN_SECONDS, LostPlaceError, Membership


def test_a_fresh_heartbeat_of_the_same_generation_holds_the_place() -> None:
    membership = Membership(10.0)
    membership.beat(100.0, 3)
    assert membership.holds(3, 100.0 + 10.0 - MARGIN_SECONDS - 0.01)


def test_an_old_heartbeat_or_another_generation_does_not() -> None:
    membership = Membership(10.0)
    membership.beat(100.0, 3)
    assert not membership.holds(3, 100.0 + 10.0 - MARGIN_SECONDS)
    assert not membership.holds(2, 100.0)
    assert not membership.holds(4, 100.0)


def test_a_heartbeat_that_arrives_out_of_order_does_not_turn_the_clock_back() -> None:
    membership = Membership(10.0)
    membership.beat(100.0, 3)
    membership.beat(95.0, 3)
    assert membership.holds(3, 107.0)


def test_a_lost_place_is_an_error_that_says_why() -> None:
    membership = Membership(10.0)
    with pytest.raises(LostPlaceError, match="lost the place"):
        membership.require(1)
    membership.beat(time.monotonic(), 1)
    membership.require(1)
