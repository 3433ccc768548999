"""Who is promoted: by simulated rivals whose worth is known, and by examples."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from feature_stream.uncertainty import date_means
from predictor.manifest import Manifest
from predictor.training.comparison import COMPARED_DATES, compare
from predictor.training.pairs import Pairs, said_by
from predictor.training.promotion import Judgment, judge_change, judge_refresh, judge_shadow
from schemas.events import Outcome
from tests.feature_stream import score_reference
from tests.predictor_models.examples import DAY_NS, HORIZONS, manifest
from tests.predictor_models.live_outcomes import outcome, shadow
from tests.predictor_models.rivals import Rivals, pairs_of

SEEDS = 400
EQUALS = [
    Rivals(),
    Rivals(tickers=1),
    Rivals(size=0.05, shared=0.9),
    Rivals(persistence=0.9),
    Rivals(turbulent=True),
]


def share(rivals: Rivals, judge: Callable[[Pairs], Judgment], begins: str, seeds: int = SEEDS) -> float:
    """Give how many judgments begin so."""
    return float(np.mean([judge(pairs).reason.startswith(begins) for pairs in pairs_of(rivals, seeds)]))


@pytest.mark.parametrize("rivals", EQUALS, ids=str)
def test_equal_sets_are_seldom_told_apart(rivals: Rivals) -> None:
    """At the levels of `docs/models.md`, which are a little above 10 and 5 %, and the error of 400 tests above them."""
    assert 0.06 <= share(rivals, judge_refresh, "worse") <= 0.17
    assert 0.01 <= share(rivals, judge_change, "better") <= 0.10


def test_a_worse_set_is_refused_and_a_better_one_is_promoted() -> None:
    worse, better = Rivals(harm=0.4), Rivals(size=0.05, skill=0.1)
    assert share(worse, judge_refresh, "not worse", 100) <= 0.02
    assert share(worse, judge_change, "better", 100) == 0.0
    assert share(better, judge_change, "better", 100) >= 0.98
    assert share(better, judge_refresh, "not worse", 100) == 1.0


def test_at_every_horizon_the_error_ratio_has_a_bound() -> None:
    pairs = next(pairs_of(Rivals(size=0.05, shared=0.9), 1, horizons=HORIZONS))
    assert judge_refresh(pairs).promote
    far = replace(pairs, candidate=np.where(pairs.horizon == 21, pairs.candidate + pairs.units, pairs.candidate))
    judgment = judge_refresh(far)
    assert not judgment.promote
    assert judgment.reason.startswith("error ratio above 1.03 at 21 bars")
    assert judgment.numbers["error_ratio_21"] > 1.03 > judgment.numbers["error_ratio_1"]


def test_a_change_that_is_better_in_a_day_and_much_worse_in_a_month_is_refused() -> None:
    pairs = next(pairs_of(Rivals(size=0.05, skill=0.3), 1, horizons=HORIZONS))
    assert judge_change(pairs).promote
    spoilt = replace(pairs, candidate=np.where(pairs.horizon == 21, -9.0 * pairs.units, pairs.candidate))
    assert judge_change(spoilt).reason.startswith("error ratio above 1.03 at 21 bars")
    assert not judge_change(spoilt).promote


def test_the_numbers_are_those_of_loops() -> None:
    pairs = next(pairs_of(Rivals(tickers=3, harm=0.1), 1, horizons=HORIZONS))
    pairs = replace(pairs, units=pairs.units * np.linspace(0.5, 2.0, len(pairs)))
    numbers = judge_refresh(pairs).numbers
    for horizon in HORIZONS:
        rows = pairs.horizon == horizon
        means = [
            date_means(pairs.matured_ns[rows], ((said - pairs.actual)[rows] / pairs.units[rows]) ** 2)[1]
            for said in (pairs.candidate, pairs.champion)
        ]
        ratio = math.sqrt(means[0].mean() / means[1].mean())
        assert numbers[f"error_ratio_{horizon}"] == pytest.approx(ratio)
        assert numbers[f"dates_{horizon}"] == 126
        if horizon == 1:
            differences = means[0] - means[1]
    error = math.sqrt(score_reference.long_run_variance(differences, 10) / 126 / (125 / 126))
    law = stats.t(125, differences.mean(), error)
    assert numbers["loss_difference"] == pytest.approx(differences.mean())
    assert (numbers["loss_difference_low"], numbers["loss_difference_high"]) == pytest.approx(law.interval(0.95))
    assert numbers["p_value"] == pytest.approx(float(stats.t.sf(differences.mean() / error, 125)))
    assert numbers["error_ratio"] == numbers["error_ratio_1"]
    assert (numbers["dates"], numbers["outcomes"], numbers["level"]) == (126, 378, 0.10)


def test_sets_that_say_the_same_do_not_differ() -> None:
    """Slopes of 0 make every set say "no change"."""
    pairs = next(pairs_of(Rivals(), 1))
    same = replace(pairs, candidate=pairs.champion)
    refresh, change = judge_refresh(same), judge_change(same)
    assert refresh.promote
    assert not change.promote
    assert change.reason.startswith("no difference")
    assert refresh.numbers["p_value"] == change.numbers["p_value"] == 1.0
    assert refresh.numbers["error_ratio"] == 1.0


def test_forecasts_without_an_error_make_numbers_that_can_be_written() -> None:
    pairs = next(pairs_of(Rivals(), 1))
    for candidate, champion in ((pairs.actual, pairs.actual), (pairs.candidate, pairs.actual)):
        numbers = judge_refresh(replace(pairs, candidate=candidate, champion=champion)).numbers
        assert all(map(math.isfinite, numbers.values()))


@pytest.mark.parametrize("judge", [judge_refresh, judge_change])
@pytest.mark.parametrize("dates", [0, 1, COMPARED_DATES - 1])
def test_on_fewer_dates_nothing_can_be_told_and_nothing_is_promoted(
    judge: Callable[[Pairs], Judgment], dates: int
) -> None:
    better = next(pairs_of(Rivals(skill=0.9), 1, dates=126)).through(dates * DAY_NS)
    assert judge(better) == Judgment(
        False, f"cannot be compared: {dates} dates, and 126 are needed", {"dates": float(dates)}
    )


def test_the_order_of_the_outcomes_does_not_matter(seed: int) -> None:
    outcomes = shadowed(130, 0.0, 0.004)
    there = [(each, 0.001 * (each.bar_index % 7), 0.0) for each in outcomes]
    mixed = [there[at] for at in np.random.default_rng(seed).permutation(len(there))]
    assert compare(Pairs.of(HORIZONS, there)) == compare(Pairs.of(HORIZONS, mixed))


def test_an_outcome_without_a_volatility_has_no_unit_and_is_left_out() -> None:
    known, unknown = outcome(), outcome("BBB", volatility=0.0)
    assert len(Pairs.of(HORIZONS, [(known, 0.0, 0.0), (unknown, 0.0, 0.0)])) == 1


CHAMPION, CHALLENGER = manifest(model_set="set-old"), manifest(model_set="set-new", train_end_ns=1_100 * DAY_NS)


def shadowed(days: int, served: float, shown: float, *, first_day: int = 1_101, **changes: Any) -> list[Outcome]:
    """Give outcomes of days on which the champion said one share of what came, and the challenger another."""
    made = []
    for day in range(first_day, first_day + days):
        for horizon in (each for each in HORIZONS if day + each < first_day + days + 1):
            actual = 0.02 * math.sin(day * day) * math.sqrt(horizon)
            its = {"predicted_log_return": served * actual, "actual_log_return": actual}
            made.append(outcome("AAA", day, horizon, **(its | shadow("set-new", shown * actual, horizon) | changes)))
    return made


def test_a_challenger_is_judged_when_126_shadow_bars_are_there() -> None:
    assert judge_shadow(shadowed(125, 0.0, 0.5), CHAMPION, CHALLENGER) is None
    judgment = judge_shadow(shadowed(126, 0.0, 0.5), CHAMPION, CHALLENGER)
    assert judgment is not None
    assert judgment.promote
    assert judgment.numbers["dates"] == 126
    assert judgment.numbers["error_ratio"] == pytest.approx(0.5)


def test_a_shadow_that_is_no_better_is_no_difference() -> None:
    judgment = judge_shadow(shadowed(126, 0.5, 0.5), CHAMPION, CHALLENGER)
    assert judgment is not None
    assert (judgment.promote, judgment.reason.split(" (")[0]) == (False, "no difference")


def test_a_shadow_is_judged_once() -> None:
    """What comes after the 126th date changes nothing, however good it is."""
    first = shadowed(126, 0.5, 0.5)
    later = shadowed(300, 0.0, 0.9, first_day=1_300)
    assert judge_shadow([*later, *first], CHAMPION, CHALLENGER) == judge_shadow(first, CHAMPION, CHALLENGER)


def test_on_the_tickers_where_the_challenger_is_served_the_champion_is_the_shadow() -> None:
    swapped = [
        outcome(
            "BBB",
            each.bar_index,
            each.horizon,
            model_set="set-new",
            predicted_log_return=each.shadow["ensemble"].log_return,
            actual_log_return=each.actual_log_return,
            **shadow("set-old", each.predicted_log_return, each.horizon),
        )
        for each in shadowed(126, 0.0, 0.5)
    ]
    assert [said_by(swapped[0], name) for name in ("set-old", "set-new", "set-other")] == [
        0.0,
        pytest.approx(0.5 * swapped[0].actual_log_return),
        None,
    ]
    judgment = judge_shadow(swapped, CHAMPION, CHALLENGER)
    assert judgment is not None
    assert judgment.promote
    both = judge_shadow([*swapped, *shadowed(126, 0.0, 0.5)], CHAMPION, CHALLENGER)
    assert both is not None
    assert both.numbers["outcomes"] == 2 * judgment.numbers["outcomes"]


@pytest.mark.parametrize(
    "changes",
    [
        {"scored": False, "unscored_reason": "partial"},
        {"shadow_model_set": "set-other"},
        {"model_set": "set-other"},
        {"shadow": {}},
        {"shadow_model_set": None, "shadow": {}},
    ],
    ids=str,
)
def test_only_outcomes_that_count_and_of_which_both_spoke_are_evidence(changes: dict[str, Any]) -> None:
    assert judge_shadow(shadowed(130, 0.0, 0.5, **changes), CHAMPION, CHALLENGER) is None


@pytest.mark.parametrize("trained_late", ["set-old", "set-new"])
def test_what_either_set_was_trained_on_is_no_evidence(trained_late: str) -> None:
    late = 1_100 + 130 - 126 + 1

    def of(each: Manifest) -> Manifest:
        return manifest(model_set=each.model_set, train_end_ns=(late if each.model_set == trained_late else 0) * DAY_NS)

    outcomes = shadowed(130, 0.0, 0.5)
    assert (
        judge_shadow(outcomes, manifest(model_set="set-old", train_end_ns=0), manifest(model_set="set-new")) is not None
    )
    assert judge_shadow(outcomes, of(CHAMPION), of(CHALLENGER)) is None
