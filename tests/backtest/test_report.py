"""What a report says: the boards' own numbers, oracles for the others, and a page that needs nothing but itself."""

import json
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from msgspec import structs

from feature_stream.scores.state import ScoreKeeper, pooled_scoreboard, scoreboard
from predictor.manifest import Manifest
from predictor.training.backtest.compose import compose
from predictor.training.backtest.confidence import confidence_of
from predictor.training.backtest.contents import HorizonReport, Report
from predictor.training.backtest.page import lay_out, page_of
from predictor.training.backtest.tables import tables_of
from predictor.training.backtest.task import encoded
from predictor.training.backtest.verdict import CHOSEN, SURVIVORS, verdict_of
from schemas.errors import StopAndSayError
from schemas.events import Outcome
from tests.backtest.pasts import OPTIONS, a_past, linear_set, walked
from tests.feature_stream.outcome_logs import Market, outcomes_of
from tests.predictor_models.examples import DAY_NS, HORIZONS

PICTURES = ("equity", "reliability", "coverage", "error_by_horizon", "error_over_time", "hit_rate_over_time")


@dataclass
class Made:
    """A walk through 560 days, and its report."""

    outcomes: list[Outcome]
    manifest: Manifest
    report: Report
    page: str = field(repr=False)

    def frame(self, horizon: int) -> pd.DataFrame:
        rows = [msgspec.to_builtins(each) for each in self.outcomes if each.horizon == horizon and each.scored]
        return pd.DataFrame(rows)

    def of(self, horizon: int) -> HorizonReport:
        return next(each for each in self.report.horizons if each.horizon == horizon)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    model_set = linear_set(tmp_path_factory.mktemp("models"))
    bars = a_past(560)
    outcomes = walked(bars, model_set)
    report = compose(outcomes, bars, [model_set.manifest], OPTIONS)
    return Made(outcomes, model_set.manifest, report, page_of(report))


def test_the_boards_are_those_that_the_scorekeeper_makes_of_the_outcomes(made: Made) -> None:
    assert made.report.boards["*"] == pooled_scoreboard(made.outcomes, "1d")
    for ticker in ("AAA", "BBB"):
        own = [outcome for outcome in made.outcomes if outcome.ticker == ticker]
        keeper = ScoreKeeper("1d")
        keeper.add(made.outcomes)
        assert made.report.boards[ticker] == keeper.board(ticker, 0)
        assert made.report.boards[ticker].horizons == scoreboard(own, "1d").horizons  # type: ignore[union-attr]


def test_scores_of_a_short_span_are_those_of_the_board(made: Made) -> None:
    last = max(outcome.matured_ns for outcome in made.outcomes)
    recent = [outcome for outcome in made.outcomes if outcome.matured_ns > last - 400 * DAY_NS]
    report = compose(recent, a_past(560), [], OPTIONS)
    board = {score.horizon: structs.replace(score, weights={}) for score in report.boards["*"].horizons}
    for horizon in report.horizons:
        assert structs.replace(horizon.scores, weights={}) == board[horizon.horizon]


@pytest.mark.parametrize("horizon", HORIZONS)
def test_errors_and_hits_are_those_of_pandas_and_of_the_board(made: Made, horizon: int) -> None:
    frame, report = made.frame(horizon), made.of(horizon)
    ensemble, scores = report.forecasters[0], report.scores
    errors = frame.predicted_log_return - frame.actual_log_return
    assert (ensemble.name, ensemble.count) == ("ensemble", len(frame))
    assert ensemble.root_mean_squared_error == pytest.approx(float((errors**2).mean() ** 0.5))
    assert ensemble.error_ratio == pytest.approx(float(((errors**2).sum() / (frame.actual_log_return**2).sum()) ** 0.5))
    assert (ensemble.error_ratio or 0) ** 2 == pytest.approx(scores.error_ratio, rel=1e-6)
    trials = frame.dropna(subset="hit")
    by_date = trials.assign(hit=trials.hit.astype(float)).groupby("matured_ns").hit.mean()
    assert ensemble.hit_rate == pytest.approx(float(by_date.mean()))
    assert ensemble.hit_rate == pytest.approx(scores.ensemble.hit_rate, rel=1e-6)
    assert [score.name for score in report.forecasters] == [
        *("ensemble", "ensemble_without_fallback", "forest", "lstm", "statistical"),
    ]
    alone = frame[frame.model_set != "statistical"]
    assert report.forecasters[1].count == len(alone) < len(frame)
    assert report.forecasters[1].mean_absolute_error == pytest.approx(
        float((alone.predicted_log_return - alone.actual_log_return).abs().mean())
    )
    two_sided = 2 * min(ensemble.p_better, 1 - ensemble.p_better)  # type: ignore[type-var, operator]
    assert two_sided == pytest.approx(scores.error_p_value, abs=1e-6)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_intervals_are_judged_beside_those_that_never_adapt(made: Made, horizon: int) -> None:
    frame, scores = made.frame(horizon), made.of(horizon).scores
    unit = frame.volatility * math.sqrt(horizon)
    error = (frame.predicted_log_return - frame.actual_log_return).abs()
    by_set = frame.model_set == "set-linear"  # the statistical forecaster answers while BBB's windows fill
    for each, quantile, alpha in zip(made.of(horizon).intervals, (2.0, 3.0), (0.05, 0.01), strict=True):
        half = frame[f"half_width_{each.level:.0%}".removesuffix("%")].astype(float)
        ours, static = (2 * h + 2 / alpha * (error - h).clip(lower=0) for h in (half, unit * quantile))
        assert each.static_interval_score == pytest.approx(float(static[by_set].mean()))
        assert each.static_coverage == pytest.approx(float((error <= unit * quantile)[by_set].mean()))
        assert each.times_static == pytest.approx(float(ours[by_set].mean() / static[by_set].mean()))
        assert each.interval_score == pytest.approx(float(ours.mean()))
        assert (each.missing, each.unusable) == (int(half.isna().sum()), 0)
    narrow, wide = made.of(horizon).intervals
    assert (narrow.coverage, wide.coverage) == pytest.approx((scores.coverage_95, scores.coverage_99), rel=1e-6)
    assert narrow.interval_score == pytest.approx(scores.interval_score_95, rel=1e-6)
    assert narrow.holds == (abs(float(narrow.coverage or 0) - 0.95) <= 0.01 and float(narrow.times_static or 9) <= 1.15)


def test_without_a_manifest_the_first_quantile_is_read_from_what_was_said_before_any_board(made: Made) -> None:
    report = compose(made.outcomes, a_past(560), [], OPTIONS)
    for ours, theirs in zip(report.horizons, made.report.horizons, strict=True):
        for mine, known in zip(ours.intervals, theirs.intervals, strict=True):
            assert mine.static_interval_score == pytest.approx(known.static_interval_score, rel=1e-9)
    assert (report.sets[0].train_end, made.report.sets[0].train_end) == (None, "1970-01-01T00:00:00Z")


def test_an_interval_that_is_empty_or_infinite_or_not_said_is_counted(made: Made) -> None:
    few = made.outcomes[:600]
    broken = [
        structs.replace(few[0], half_width_95=0.0),
        structs.replace(few[1], half_width_95=math.inf),
        structs.replace(few[2], half_width_95=None, inside_95=None),
    ]
    assert {outcome.horizon for outcome in few[:3]} == {1}
    before, after = (compose(each, a_past(560), [], OPTIONS) for each in (few, [*broken, *few[3:]]))
    sound, narrow = before.horizons[0].intervals[0], after.horizons[0].intervals[0]
    assert (narrow.unusable, narrow.missing, narrow.holds) == (2, sound.missing + 1, False)


def test_confidence_lies_in_five_bins_of_equal_count(made: Made) -> None:
    confidence, frame = made.of(1).confidence, made.frame(1).dropna(subset="hit")
    counts = [each.trials for each in confidence.bins]
    assert len(counts) == 5
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == confidence.trials == len(frame)
    means = [each.mean_confidence for each in confidence.bins]
    assert means == sorted(means)
    hit = frame.hit.astype(float)
    assert confidence.brier_score == pytest.approx(float(((frame.confidence - hit) ** 2).mean()))
    assert confidence.brier_score_base_rate == pytest.approx(float(hit.mean() * (1 - hit.mean())))
    assert confidence.brier_score > confidence.brier_score_base_rate, "the set is made up, and sure of itself"  # type: ignore[operator]


def test_confidence_without_skill_is_told_and_a_humble_one_is_let_be() -> None:
    sure = list(outcomes_of(Market(bars=1_500, horizons=(1,), skill=0.0)))
    humble = [structs.replace(outcome, confidence=0.4) for outcome in sure]
    found, other = (confidence_of(tables_of(each, {})[1]) for each in (sure, humble))
    assert (found.overconfident, other.overconfident) == (True, False)
    assert all(each.hit_rate_low < each.hit_rate < each.hit_rate_high for each in found.bins)  # type: ignore[operator]
    few = confidence_of(tables_of(sure[:100], {})[1])
    assert (few.overconfident, few.bins[0].hit_rate_low) == (None, None)


def test_stretches_and_tickers_and_years_hold_every_outcome_once(made: Made) -> None:
    for report in made.report.horizons:
        assert sum(stretch.count for stretch in report.stretches) == report.outcomes
        assert 2 <= len(report.stretches) <= 12
        assert sum(each.count for each in report.ticker_years) == report.outcomes
    aaa_1970 = next(each for each in made.of(1).ticker_years if (each.ticker, each.year) == ("AAA", 1970))
    frame = made.frame(1)
    own = frame[(frame.ticker == "AAA") & (frame.matured_ns <= 365 * DAY_NS)]
    assert aaa_1970.count == len(own)
    assert aaa_1970.coverage_95 == pytest.approx(float(own.inside_95.mean()))


def test_following_is_shown_beside_holding_and_doing_nothing(made: Made) -> None:
    for report in made.report.horizons:
        trading = report.trading
        assert list(trading.figures) == ["forecasts", "buy_and_hold", "no_change"]
        for name, curve in trading.equity.by_portfolio.items():
            assert curve[-1] - 1 == pytest.approx(trading.figures[name]["total_return"].value)
            assert len(curve) == trading.bars == len(trading.equity.ends)
        ours, theirs = trading.figures["forecasts"], trading.figures["buy_and_hold"]
        for name, difference in trading.beside_buy_and_hold.items():
            assert difference.value == pytest.approx(ours[name].value - theirs[name].value)  # type: ignore[operator]
        assert ours["turnover"].value > theirs["turnover"].value  # type: ignore[operator]
    assert made.of(1).trading.figures["forecasts"]["sharpe"].low is not None
    assert made.of(21).trading.figures["forecasts"]["sharpe"].low is not None


def test_one_ticker_held_is_its_own_price(made: Made) -> None:
    own = [outcome for outcome in made.outcomes if outcome.ticker == "AAA"]
    options = structs.replace(OPTIONS, cost_bps=0.0)
    report = compose(own, a_past(560), [], options)
    columns = a_past(560)["AAA"]
    for horizon in report.horizons:
        first = int(np.searchsorted(columns.start_ns, own[0].start_ns)) + 1
        last = len(columns) - horizon.horizon
        held = horizon.trading.equity.by_portfolio["buy_and_hold"]
        assert held == pytest.approx((columns.close[first : last + 1] / columns.open[first]).tolist())


def test_no_model_beats_no_change_where_there_is_nothing_to_know(made: Made) -> None:
    assert made.report.verdict.startswith("No model beats the forecast of no change: of 12 comparisons none")
    knowing = [structs.replace(each, predicted_log_return=0.9 * each.actual_log_return) for each in made.outcomes]
    verdict = compose(knowing, a_past(560), [], OPTIONS).verdict
    assert verdict.startswith(
        "Better than the forecast of no change, at 5 % after correction for 12 comparisons: ensemble"
    )
    assert "too few dates" in verdict_of([])


def test_every_report_states_what_it_cannot_show(made: Made) -> None:
    assert CHOSEN in made.report.caveats
    replayed = compose(made.outcomes, a_past(560), [], structs.replace(OPTIONS, source="replay"))
    assert SURVIVORS in replayed.caveats
    for caveat in made.report.caveats:
        assert caveat.replace("'", "&#39;") in made.page
    words = " ".join(made.report.caveats)
    for stated in ("hindsight", "Only differences carry meaning", "2010 to 2013", "Not investment advice"):
        assert stated in words


def test_the_same_input_and_seed_give_the_same_bytes_in_any_order(made: Made) -> None:
    other = compose(list(reversed(made.outcomes)), a_past(560), [made.manifest], OPTIONS)
    assert encoded(other) == encoded(made.report)
    assert page_of(other) == made.page
    reseeded = compose(made.outcomes, a_past(560), [made.manifest], structs.replace(OPTIONS, seed=8))
    assert encoded(reseeded) != encoded(made.report)


def test_the_json_has_all_numbers_and_none_that_is_no_number(made: Made) -> None:
    document = json.loads(encoded(made.report), parse_constant=pytest.fail)
    assert msgspec.convert(document, Report) == made.report
    assert [each["horizon"] for each in document["horizons"]] == list(HORIZONS)


class PageReader(HTMLParser):
    """Collects tags that are open, pictures, and all that points outside."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures = 0
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.captions = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.pictures += tag == "svg"
        self.captions += tag == "figcaption"
        for name, value in attributes:
            self._look_at(tag, name, value or "")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            self._look_at(tag, name, value or "")

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name == "id":
            self.ids.append(value)
        points = name in {"src", "href", "xlink:href", "data", "action", "srcset"}
        if (
            (points and not value.startswith("#"))
            or re.search(r"url\((?!#)", value)
            or tag in {"script", "link", "iframe"}
        ):
            self.outside.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_has_all_pictures_and_asks_nothing_of_the_internet(made: Made) -> None:
    reader = PageReader()
    reader.feed(made.page)
    reader.close()
    assert reader.open == []
    assert (reader.pictures, reader.captions) == (len(PICTURES), len(PICTURES))
    assert reader.outside == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert "@import" not in made.page
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", made.page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "names of formats, not places"
    assert made.report.verdict in made.page
    assert not re.search(r">(nan|None|inf)<", made.page)


def test_names_are_escaped(made: Made) -> None:
    options: Any = structs.replace(OPTIONS, models=["<b>"], source="<script>")
    page = lay_out(structs.replace(made.report, options=options, verdict="<i>"), dict.fromkeys(PICTURES, ""))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<i>" not in page


def test_bars_that_are_missing_are_said(made: Made) -> None:
    bars = a_past(560)
    with pytest.raises(StopAndSayError, match="bars of BBB are missing, as that of 1970"):
        compose(made.outcomes, {"AAA": bars["AAA"]}, [], OPTIONS)


def test_nothing_that_counts_is_said() -> None:
    with pytest.raises(StopAndSayError, match="no prediction has matured; choose --from and --to further apart"):
        compose([], {}, [], OPTIONS)
