"""What the widths are tuned on is what live would have said."""

from random import Random

import numpy as np

from benchmarks.width_series import SHARES_OUTSIDE, adapted, table_of
from feature_stream.calibration import WIDTH_OUTCOMES
from predictor.training.backtest.tables import Table


def a_table(rng: Random, horizon: int, bars: int) -> Table:
    """Give outcomes of two tickers that take turns."""
    random = np.random.default_rng(rng.randrange(2**31))
    first = random.uniform(0.5, 2.0, 2 * bars)
    return table_of(
        horizon,
        np.tile(["A", "B"], bars),
        np.repeat(np.arange(bars), 2),
        predicted=np.zeros(2 * bars),
        actual=random.standard_t(3, 2 * bars),
        static=(first, 0.9 * first),
    )


def recursion(misses: list[bool], share_outside: float, steps: int) -> float:
    width = 1.0
    for miss in misses[-WIDTH_OUTCOMES:]:
        width = max(width + (miss - share_outside) / steps, 0.05)
    return width


def test_a_width_is_made_of_the_matured_outcomes_of_its_ticker_and_the_wider_interval_holds_the_narrower(
    rng: Random,
) -> None:
    horizon, steps, factor = 5, 20, 0.8
    table = a_table(rng, horizon, 1_200)
    found = adapted(table, steps, factor)
    rows = np.flatnonzero(table.tickers == "B")
    missed: list[list[bool]] = [[], []]
    for bar, row in enumerate(rows):
        matured = [each[: max(0, bar - horizon + 1)] for each in missed]  # start + horizon at most the bar
        widths = [recursion(each, share, steps) for each, share in zip(matured, SHARES_OUTSIDE, strict=True)]
        narrow, wide = factor * table.static_95[row] * widths[0], factor * table.static_99[row] * widths[1]
        np.testing.assert_allclose([found.half_95[row], found.half_99[row]], [narrow, max(narrow, wide)], rtol=1e-7)
        for each, half in zip(missed, (found.half_95[row], found.half_99[row]), strict=True):
            each.append(bool(abs(table.actual[row]) > half))
    assert (found.inside_99 >= found.inside_95).all()
    assert (found.half_99 == found.half_95).any()


def test_what_has_not_matured_changes_no_interval(rng: Random) -> None:
    table = a_table(rng, 5, 60)
    table.actual[60:62] = 0.0  # of the bar 30
    before = adapted(table, 20)
    table.actual[60:62] = 99.0
    after = adapted(table, 20)
    assert (after.half_95[: 2 * 35] == before.half_95[: 2 * 35]).all()
    assert (after.half_95[2 * 35 : 2 * 36] > before.half_95[2 * 35 : 2 * 36]).all()
