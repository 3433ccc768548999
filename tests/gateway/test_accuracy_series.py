"""Accuracy by week and by date: from recorded outcomes, and by the very definitions of the scoreboards."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import structs

from feature_stream.scores.columns import known_of
from feature_stream.scores.horizons import horizon_score
from feature_stream.scores.sums import contributions
from gateway.accuracy_dates import WINDOW, AccuracyDates, accuracy_dates
from gateway.accuracy_series import AccuracySeries, PeriodHorizon, accuracy_series, week_start_ns
from gateway.database.outcomes import DateHits, DateSums, Sums
from schemas.events import Direction, HorizonScore, Outcome
from schemas.topics import OUTCOMES
from tests.gateway.recorder.events import example
from tests.gateway.samples import make_parts, prediction
from tests.gateway.test_history import get, parts_with

_MONDAY = datetime(2012, 1, 2, tzinfo=UTC)
_SECOND_NS = 10**9


def _ns(time: datetime) -> int:
    return int(time.timestamp()) * _SECOND_NS


def _outcome(rng: random.Random, ticker: str, matured: datetime, **changes: Any) -> Outcome:
    actual = rng.choice([0.0, rng.gauss(0, 0.02), rng.gauss(0, 0.02), rng.gauss(0, 0.02)])
    direction = rng.choice(list(Direction))
    judged = actual != 0 and direction is not Direction.NEUTRAL
    values = {
        "id": f"{ticker}/{matured}",
        "ticker": ticker,
        "start_ns": _ns(matured - timedelta(days=2)),
        "as_of_ns": _ns(matured - timedelta(days=1)),
        "matured_ns": _ns(matured),
        "predicted_log_return": rng.gauss(0, 0.01),
        "actual_log_return": actual,
        "direction": direction,
        "usual_direction": rng.choice([None, *2 * [Direction.BULLISH, Direction.BEARISH]]),
        "hit": (actual > 0) is (direction is Direction.BULLISH) if judged else None,
        "inside_95": rng.choice([None, True, True, False]),
        "inside_99": rng.choice([None, True, True, True]),
        "models": {},
    }
    return structs.replace(example(Outcome), **(values | changes))


def _score(outcomes: list[Outcome]) -> HorizonScore:
    """Score as the scorekeeper does."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.matured_ns)
    added = contributions(np.array([known_of(each) for each in outcomes]), np.empty((len(outcomes), 0, 2)))
    dates = [each.matured_ns for each in outcomes]
    sums = np.stack([added[np.array(dates) == date].sum(axis=0) for date in sorted(set(dates))])
    return horizon_score(sums, [], outcomes[0].horizon)


def _assert_same(period: PeriodHorizon, score: HorizonScore) -> None:
    ours, theirs = score.ensemble, score.naive
    assert (period.count, period.dates, period.trials) == (ours.count, score.settled_dates, ours.trials)
    for said, wanted in (
        (period.hit_rate, ours.hit_rate),
        (period.hit_rate_low, ours.hit_rate_low),
        (period.hit_rate_high, ours.hit_rate_high),
        (period.baseline_hit_rate, score.usual_hit_rate),
        (period.hit_rate_difference, score.hit_rate_difference),
        (period.hit_rate_difference_low, score.hit_rate_difference_low),
        (period.hit_rate_difference_high, score.hit_rate_difference_high),
        (period.mean_absolute_error, ours.mean_absolute_error),
        (period.baseline_mean_absolute_error, theirs.mean_absolute_error),
        (period.coverage_95, score.coverage_95),
        (period.coverage_99, score.coverage_99),
    ):
        assert said == (None if wanted is None else pytest.approx(wanted, rel=1e-9))


async def test_each_week_and_all_together_say_what_the_scoreboards_would(database_url: str, rng: random.Random) -> None:
    days = [_MONDAY + timedelta(days=day) for day in range(1, 455) if day % 7 not in (0, 6)]
    outcomes = [_outcome(rng, ticker, day) for day in days for ticker in ("AAPL", "IBM", "MSFT")]
    others = [
        _outcome(rng, "AAPL", days[3], id="forecast", request_id="one"),
        _outcome(rng, "AAPL", days[4], id="unscored", scored=False, unscored_reason="in sample"),
        _outcome(rng, "AAPL", days[5], id="hourly", interval="1h"),
    ]
    parts = parts_with(database_url, [(OUTCOMES, event) for event in (*outcomes, *others)])
    for path, counted in (("/accuracy", outcomes), ("/accuracy/ibm", [o for o in outcomes if o.ticker == "IBM"])):
        series = msgspec.convert(await get(parts, f"{path}?by=week&weeks=100"), AccuracySeries)
        assert (series.complete, series.total, len(series.weeks)) == (True, len(counted), 65)
        _assert_same(series.horizons[0], _score(counted))
        if counted is outcomes:
            assert series.horizons[0].hit_rate_difference_low is not None, "dates enough to tell"
        for number, week in enumerate(series.weeks):
            start = _MONDAY + timedelta(weeks=number)
            assert week.start == f"{start:%Y-%m-%dT%H:%M:%SZ}"
            ours = [each for each in counted if _ns(start) < each.matured_ns <= _ns(start + timedelta(weeks=1))]
            _assert_same(week.horizons[0], _score(ours))
            assert week.total == len(ours)
    newest = msgspec.convert(await get(parts, "/accuracy/IBM?by=week&weeks=3"), AccuracySeries)
    assert newest.weeks == series.weeks[-3:]


def test_a_bar_that_ends_with_the_week_is_the_old_weeks() -> None:
    for monday in (_ns(_MONDAY), 4 * 86_400 * _SECOND_NS, -3 * 86_400 * _SECOND_NS):
        assert week_start_ns(monday) == monday - 7 * 86_400 * _SECOND_NS
        assert week_start_ns(monday + 1) == monday


def test_a_week_that_may_be_cut_is_left_out() -> None:
    sums = Sums(*[1] * len(Sums._fields))
    rows = [DateSums(1, _ns(_MONDAY + timedelta(days=day)), sums) for day in range(20, 0, -1)]
    whole, cut = accuracy_series("*", "1d", rows, 20), accuracy_series("*", "1d", rows, 19)
    assert (whole.complete, whole.total, cut.complete, cut.total) == (True, 20, False, 13)
    assert cut.weeks == whole.weeks[1:]


async def test_each_date_says_what_a_scoreboard_would_of_the_dates_up_to_it(
    database_url: str, rng: random.Random
) -> None:
    days = [_MONDAY + timedelta(days=day) for day in range(1_000)]
    outcomes = [_outcome(rng, ticker, day) for day in days for ticker in ("AAPL", "IBM")]
    longer = _outcome(rng, "AAPL", days[3], id="longer", horizon=5, hit=True, usual_direction=Direction.BULLISH)
    parts = parts_with(database_url, [(OUTCOMES, event) for event in (*outcomes, longer)])
    beside = [each for each in outcomes if each.usual_direction and each.hit is not None]
    for path, counted in (("/accuracy", beside), ("/accuracy/ibm", [o for o in beside if o.ticker == "IBM"])):
        said = msgspec.convert(await get(parts, f"{path}?by=date&dates=1000"), AccuracyDates)
        dates = sorted({each.matured_ns for each in counted})
        assert (said.horizon, said.window, said.dates_needed, said.complete) == (1, WINDOW, 200, True)
        assert len(said.points) == len(dates)
        for place in (0, 198, 199, len(dates) - 1):
            point, newest = said.points[place], dates[max(0, place + 1 - WINDOW) : place + 1]
            score = _score([each for each in counted if each.matured_ns in newest])
            ours = score.ensemble
            assert (point.dates, point.trials) == (len(newest), ours.trials)
            assert (point.hit_rate_difference_low is None) is (place < 199)
            for told, wanted in (
                (point.hit_rate, ours.hit_rate),
                (point.hit_rate_low, ours.hit_rate_low),
                (point.hit_rate_high, ours.hit_rate_high),
                (point.baseline_hit_rate, score.usual_hit_rate),
                (point.hit_rate_difference, score.hit_rate_difference),
                (point.hit_rate_difference_low, score.hit_rate_difference_low),
                (point.hit_rate_difference_high, score.hit_rate_difference_high),
            ):
                assert told == (None if wanted is None else pytest.approx(wanted, abs=1e-12))
        newest_alone = msgspec.convert(await get(parts, f"{path}?by=date&dates=3"), AccuracyDates)
        assert (newest_alone.points, newest_alone.complete) == (said.points[-3:], False)
    of_longer = msgspec.convert(await get(parts, "/accuracy/AAPL?by=date&horizon=5"), AccuracyDates)
    assert (of_longer.horizon, len(of_longer.points)) == (5, 1)


def test_who_always_names_the_usual_direction_differs_by_nothing() -> None:
    rows = [DateHits(_ns(_MONDAY + timedelta(days=day)), 2, day % 2, day % 2) for day in range(250, 0, -1)]
    last = accuracy_dates("*", "1d", 1, rows, 1).points[-1]
    assert (last.hit_rate, last.hit_rate_difference, last.hit_rate_difference_low) == (0.25, 0.0, None)
    assert last.hit_rate_low is not None


async def test_where_nothing_is_recorded_the_series_is_empty_and_what_is_wrong_is_named(database_url: str) -> None:
    parts = parts_with(database_url, [], prediction("AAPL"))
    for path, ticker in (("/accuracy", "*"), ("/accuracy/AAPL", "AAPL")):
        series = msgspec.convert(await get(parts, f"{path}?by=week"), AccuracySeries)
        assert (series.ticker, series.weeks, series.total) == (ticker, [], 0)
        assert "matured" in series.message
        dates = msgspec.convert(await get(parts, f"{path}?by=date"), AccuracyDates)
        assert (dates.ticker, dates.points, dates.message) == (ticker, [], series.message)
    assert (await get(parts, "/accuracy/AAPX?by=week", 404))["near_matches"] == ["AAPL"]
    for query, field in (
        ("by=month", "by"),
        ("by=week&weeks=0", "weeks"),
        ("by=date&dates=1001", "dates"),
        ("by=date&horizon=3", "horizon"),
    ):
        assert (await get(make_parts(), f"/accuracy?{query}", 400))["field"] == field
