"""What follows from the end of a part."""

import pytest

from deploy.parts import Part, Verdict, how_it_ended, verdict
from schemas.errors import EXIT_STOP_AND_SAY

SERVICE = Part("gateway", ("gateway",))
ONCE = Part("trainer", ("trainer",), once=True)


@pytest.mark.parametrize("exit_code", [1, 2, 137, -9, -15])
def test_what_dies_is_started_again(exit_code: int) -> None:
    assert verdict(SERVICE, exit_code, broker_was_up=True) is Verdict.START_AGAIN
    assert verdict(ONCE, exit_code, broker_was_up=True) is Verdict.START_AGAIN


def test_a_service_has_no_business_ending_well() -> None:
    assert verdict(SERVICE, 0, broker_was_up=True) is Verdict.START_AGAIN


def test_work_that_is_done_once_is_done() -> None:
    assert verdict(ONCE, 0, broker_was_up=True) is Verdict.DONE


def test_what_stops_and_says_why_is_not_started_again() -> None:
    assert verdict(SERVICE, EXIT_STOP_AND_SAY, broker_was_up=True) is Verdict.STOPPED_AND_SAID


def test_what_stops_because_the_broker_is_away_is_started_again() -> None:
    assert verdict(SERVICE, EXIT_STOP_AND_SAY, broker_was_up=False) is Verdict.START_AGAIN


def test_ends_are_said_in_words() -> None:
    assert how_it_ended(3) == "ended with exit code 3"
    assert how_it_ended(-9) == "was killed by SIGKILL"
    assert how_it_ended(-250) == "was killed by signal 250"
