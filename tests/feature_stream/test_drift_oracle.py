"""Page and Hinkley's test beside river's, with the same settings.

Two differences are left. River forgets by default: its sum is multiplied by 0.9999 before each value; at 1 it is the
definition. And its alarm is one value long, after which all begins anew; ours goes on until half of the threshold is
left, so that a board can say for how long, and begins anew with the window that a board looks back on.
"""

from random import Random

import numpy as np
import pytest
from river.drift import PageHinkley as Rivers

from feature_stream.drift import ERROR_TEST, LOSS_TEST, PageHinkley, page_hinkley

SMALL = PageHinkley(allowance=0.05, threshold=3.0, least_dates=10)


def rivers_alarms(values: list[float], test: PageHinkley) -> list[int]:
    """Give the places of river's alarms; it counts from 0 again after each."""
    rivers = Rivers(
        min_instances=test.least_dates, delta=test.allowance, threshold=test.threshold, alpha=1.0, mode="up"
    )
    found = []
    for place, value in enumerate(values):
        rivers.update(value)  # type: ignore[no-untyped-call]
        if rivers.drift_detected:
            found.append(place)
    return found


def our_alarms(values: list[float], test: PageHinkley) -> list[int]:
    """Give the first alarm, the first one of what comes after it, and so on."""
    found: list[int] = []
    first = 0
    for place in range(len(values)):
        if page_hinkley(values[first : place + 1], test).dates_in_alarm:
            found.append(place)
            first = place + 1
    return found


@pytest.mark.parametrize("test", [SMALL, LOSS_TEST, ERROR_TEST], ids=["small", "loss", "error"])
def test_alarms_begin_where_rivers_do(test: PageHinkley, rng: Random) -> None:
    random = np.random.default_rng(rng.randrange(2**31))
    step = 3.0 * test.allowance + test.threshold / 20.0
    values = [
        float(random.standard_t(5)) * test.threshold / 40.0 + step * (150 <= place < 250 or place >= 330)
        for place in range(420)
    ]
    theirs = rivers_alarms(values, test)
    assert len(theirs) >= 2
    assert our_alarms(values, test) == theirs


def test_at_rest_neither_says_anything() -> None:
    assert rivers_alarms([0.5] * 200, SMALL) == our_alarms([0.5] * 200, SMALL) == []


def test_before_so_many_values_neither_says_anything() -> None:
    values = [0.0] * 5 + [9.0] * 10
    assert rivers_alarms(values, SMALL)[0] == our_alarms(values, SMALL)[0] == SMALL.least_dates - 1
