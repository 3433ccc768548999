"""A candidate from bars and outcomes to the judgment; the fits are of forecasters that learn next to nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import structs

from ingestor.sources.bars import BarColumns
from predictor.manifest import Manifest, ManifestMember, TrainingOptions, named
from predictor.models.rules import NaiveForecaster, RuleFile, StatisticalMember
from predictor.parameters import ForestParameters, Parameters
from predictor.training.candidate import Tried, try_change, try_refresh
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.fitting import FittedModel, Progress
from predictor.training.settings import TrainingSettings
from predictor.training.split import TooFewSamplesError
from predictor.training.tell import Tell
from predictor.training.trained_set import TrainedSet, as_served
from predictor.training.trial import bars_through, cut_ns, forecasts_after
from predictor.training.workshop import Workshop
from schemas.events import Outcome
from schemas.times import Interval
from tests.predictor_models.examples import DAY_NS, HORIZONS, manifest, member, random_walk
from tests.predictor_models.live_outcomes import Says, live_outcomes
from tests.predictor_models.test_leakage import changed_from

DAYS, CUT_DAY = 500, 500 - 126 - 21
BARS = {"AAA": random_walk(1, DAYS), "BBB": random_walk(2, DAYS), "NEW": random_walk(3, 60, DAYS - 60)}
SETTINGS = TrainingSettings(_env_file=None)
CHAMPION = manifest(
    model_set="set-old",
    train_end_ns=300 * DAY_NS,
    options=TrainingOptions(source="replay", before_ns=301 * DAY_NS, window_bars=200, seed=11),
)

CHAMPION_OF_ALL = structs.replace(CHAMPION, options=structs.replace(CHAMPION.options, window_bars=None))


def digest_of(dataset: Dataset) -> str:
    arrays = (dataset.batch.model_inputs, dataset.batch.sequence, dataset.batch.returns, dataset.log_returns)
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


@dataclass
class Fits:
    """Makes sets of the statistical forecaster, with a slope, and a name, that hang on every sample."""

    told: list[tuple[Dataset, TrainingOptions, bool]] = field(default_factory=list)

    def __call__(
        self,
        dataset: Dataset,
        interval: Interval,
        options: TrainingOptions,
        now_ns: int,
        *,
        weighed_only: bool = False,
        tell: Tell | None = None,
    ) -> TrainedSet:
        self.told.append((dataset, options, weighed_only))
        if tell is not None:
            tell(0.5, "fitting")
            tell(1.0, "export")
        files = {f"{rule.name}.json": content_of(rule) for rule in (StatisticalMember, NaiveForecaster)}
        whole = manifest(
            interval=interval,
            members=[_member(StatisticalMember.name, 1.0, files), _member(NaiveForecaster.name, 0.0, files)],
            train_start_ns=int(dataset.as_of_ns.min()),
            train_end_ns=int(dataset.label_end_ns.max()),
            library_versions={"samples": digest_of(dataset)},
            slopes=[float(1.0 / (1.0 + np.exp(-dataset.log_returns[:, at].mean()))) for at in range(len(HORIZONS))],
            options=options,
            created_at_ns=now_ns,
        )
        return TrainedSet(named(whole), files)


def content_of(rule: type[StatisticalMember] | type[NaiveForecaster]) -> bytes:
    return msgspec.json.encode(RuleFile(rule=rule.name, rule_version=rule.rule_version))


def _member(name: str, prior_weight: float, files: Mapping[str, bytes]) -> ManifestMember:
    file = f"{name}.json"
    digest = hashlib.sha256(files[file]).hexdigest()
    return structs.replace(member(name), file=file, sha256=digest, prior_weight=prior_weight)


@dataclass
class Bench:
    """A workshop whose bars are given, and what was heard there."""

    bars: Mapping[str, BarColumns] = field(default_factory=lambda: BARS)
    fits: Fits = field(default_factory=Fits)
    heard: list[tuple[float, str]] = field(default_factory=list)
    read: int = 0

    def workshop(self) -> Workshop:
        def bars(_: TrainingSettings) -> Mapping[str, BarColumns]:
            self.read += 1
            return self.bars

        return Workshop(bars, self.fits, lambda: 5)

    def hear(self, share: float, what: str) -> None:
        self.heard.append((share, what))

    def refresh(self, outcomes: list[Outcome], champion: Manifest = CHAMPION, **settings: Any) -> Tried:
        given = TrainingSettings(_env_file=None, **settings)
        return try_refresh(given, champion, outcomes, self.hear, self.workshop())


def wild(_actual: float, horizon: int) -> float:
    """Say a move of several standard deviations, always up."""
    return float(0.1 * horizon**0.5)


def knowing(actual: float, _horizon: int) -> float:
    """Say what comes."""
    return actual


def outcomes_of(says: Says, first_day: int = 350) -> list[Outcome]:
    return live_outcomes(BARS, first_day, says)


def test_a_refresh_is_fitted_before_what_it_is_compared_on_and_then_on_everything() -> None:
    bench = Bench()
    tried = bench.refresh(outcomes_of(wild))
    assert tried.judgment.promote, tried.judgment.reason
    (before, first, weighed_only), (everything, second, all_members) = bench.fits.told
    assert (weighed_only, all_members) == (True, False)
    assert before.label_end_ns.max() == CUT_DAY * DAY_NS, "126 bars and the longest horizon before now"
    assert everything.label_end_ns.max() == DAYS * DAY_NS
    assert tried.trained is not None
    assert tried.trained.manifest.train_end_ns == DAYS * DAY_NS
    assert tried.trained.manifest.created_at_ns == 5
    for dataset, options in ((before, first), (everything, second)):
        assert len(np.unique(dataset.as_of_ns)) == 200
        assert options == structs.replace(CHAMPION.options, before_ns=int(dataset.label_end_ns.max()))
    assert "NEW" in everything.tickers
    numbers = tried.judgment.numbers
    assert (numbers["dates"], numbers["dates_5"], numbers["dates_21"]) == (126, 126, 126)


def test_the_progress_rises_from_nothing_to_everything() -> None:
    bench = Bench()
    bench.refresh(outcomes_of(wild))
    shares = [share for share, _ in bench.heard]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)


def test_a_worse_refresh_is_refused_and_not_fitted_again() -> None:
    bench = Bench()
    tried = bench.refresh(outcomes_of(knowing))
    assert not tried.judgment.promote
    assert tried.judgment.reason.startswith("worse")
    assert tried.trained is None
    assert len(bench.fits.told) == 1


def test_a_change_has_its_own_parameters_and_must_be_better() -> None:
    parameters = Parameters(forest=ForestParameters(n_estimators=20))
    bench = Bench()
    better = try_change(SETTINGS, CHAMPION, parameters, outcomes_of(wild), lambda *_: None, bench.workshop())
    assert better.judgment.promote
    assert better.trained is not None
    assert {options.parameters for _, options, _ in bench.fits.told} == {parameters}
    alike = forecasts_of(bench)
    same = [
        structs.replace(each, predicted_log_return=alike[each.ticker, each.as_of_ns, each.horizon])
        for each in outcomes_of(wild)
        if (each.ticker, each.as_of_ns, each.horizon) in alike
    ]
    none = try_change(SETTINGS, CHAMPION, parameters, same, lambda *_: None, Bench().workshop())
    assert (none.judgment.promote, none.trained) == (False, None)
    assert none.judgment.reason.startswith("no difference")
    assert Bench().refresh(same).judgment.promote, "a refresh that is no worse is"


def test_parameters_that_were_searched_on_what_is_compared_cannot_be_judged_on_it() -> None:
    def change(through_day: int) -> Tried:
        args = (SETTINGS, CHAMPION, Parameters(), outcomes_of(wild), lambda *_: None, Bench().workshop())
        return try_change(*args, searched_through_ns=through_day * DAY_NS)

    assert change(CUT_DAY).judgment.promote
    refused = change(CUT_DAY + 1)
    assert (refused.judgment.promote, refused.trained) == (False, None)
    assert refused.judgment.reason == (
        "cannot be compared: the parameters were searched on bars through 1970-12-21T00:00:00Z, "
        "and what is compared begins after 1970-12-20T00:00:00Z"
    )


def forecasts_of(bench: Bench) -> dict[tuple[str, int, int], float]:
    """Give what the set that was compared said."""
    dataset, options, _ = bench.fits.told[0]
    compared = as_served(Fits()(dataset, "1d", options, 1))
    return forecasts_after(compared, BARS, CUT_DAY * DAY_NS, DAYS * DAY_NS)


def test_fewer_than_126_live_dates_are_said_before_anything_is_read() -> None:
    bench = Bench()
    tried = bench.refresh(outcomes_of(wild, first_day=DAYS - 125))
    assert (tried.judgment.promote, tried.trained) == (False, None)
    assert tried.judgment.reason == ("cannot be compared: set-old has outcomes of 125 dates, and 126 are needed")
    assert tried.judgment.numbers == {"dates": 125.0}
    assert (bench.read, bench.fits.told) == (0, [])
    assert Bench().refresh(outcomes_of(wild, first_day=DAYS - 126)).judgment.promote


def test_a_champion_of_other_horizons_cannot_be_compared() -> None:
    tried = Bench().refresh(outcomes_of(wild), horizons="1,5")
    assert "horizons" in tried.judgment.reason
    assert not tried.judgment.promote


def test_bars_that_begin_too_late_are_said() -> None:
    bench = Bench({ticker: columns.between((CUT_DAY + 5) * DAY_NS, None) for ticker, columns in BARS.items()})
    assert "the bars begin too late" in bench.refresh(outcomes_of(wild)).judgment.reason
    assert "the bars begin too late" in Bench({}).refresh(outcomes_of(wild)).judgment.reason


def test_too_little_history_to_fit_is_an_answer() -> None:
    def too_few(*_: Any, **__: Any) -> TrainedSet:
        raise TooFewSamplesError("12 samples")

    workshop = Workshop(lambda _: BARS, too_few)
    tried = try_refresh(SETTINGS, CHAMPION, outcomes_of(wild), lambda *_: None, workshop)
    assert (tried.judgment.promote, tried.judgment.reason) == (False, "cannot be compared: 12 samples")


def test_what_happens_after_the_cut_changes_nothing_of_the_fit(seed: int) -> None:
    """Bit for bit: its samples, and the set that is made of them; the future is changed, and cut off."""
    cut = CUT_DAY * DAY_NS
    changed = {ticker: changed_from(columns, cut, seed) for ticker, columns in BARS.items()}
    known, other = Bench(), Bench(changed)
    assert cut_ns(BARS, "1d", (DAYS - 125) * DAY_NS, 21) == cut
    for bench in (known, other):
        bench.refresh(outcomes_of(knowing))
    alone = dataset_from_bars(bars_through(BARS, "1d", cut), "1d", HORIZONS, 200)
    (first, options, _), (second, _, _) = known.fits.told[0], other.fits.told[0]
    assert digest_of(first) == digest_of(second) == digest_of(alone)
    assert Fits()(first, "1d", options, 1) == Fits()(second, "1d", options, 1) == Fits()(alone, "1d", options, 1)
    later = dataset_from_bars(changed, "1d", HORIZONS)
    assert digest_of(later) != digest_of(dataset_from_bars(BARS, "1d", HORIZONS)), "the change must be seen by somebody"


def test_a_forecast_knows_nothing_after_its_time() -> None:
    day = CUT_DAY + 60
    bench = Bench()
    bench.refresh(outcomes_of(knowing))
    dataset, options, _ = bench.fits.told[0]
    model_set = as_served(Fits()(dataset, "1d", options, 1))
    known = forecasts_of(bench)
    changed = {ticker: changed_from(columns, day * DAY_NS, 3) for ticker, columns in BARS.items()}
    other = forecasts_after(model_set, changed, CUT_DAY * DAY_NS, DAYS * DAY_NS)
    assert {as_of_ns for _, as_of_ns, _ in known} == {each * DAY_NS for each in range(CUT_DAY + 1, DAYS + 1)}
    until = [key for key in known if key[1] <= day * DAY_NS]
    assert until
    assert [known[key] for key in until] == [other[key] for key in until]
    assert known != other, "the change must be seen by somebody"


def test_the_real_training_leaves_members_without_weight_out_of_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    from predictor.training import pipeline
    from predictor.training.recipes import Recipe
    from predictor.training.rule_fit import fit_rule

    fitted: list[int] = []

    def fit_naive(dataset: Dataset, seed: int, progress: Progress) -> FittedModel:
        fitted.append(int(dataset.label_end_ns.max()) // DAY_NS)
        return fit_rule(NaiveForecaster)(dataset, seed, progress)

    statistical = fit_rule(StatisticalMember)
    known = {"statistical": Recipe(1.0, statistical, statistical), "naive": Recipe(0.0, fit_naive, fit_naive)}
    monkeypatch.setattr(pipeline, "recipes", lambda _: known)
    bars = {name: random_walk(seed, 700) for seed, name in enumerate(("AAA", "BBB", "CCC"))}
    bench = Bench()
    tried = try_refresh(SETTINGS, CHAMPION_OF_ALL, live_outcomes(bars, 550, wild), bench.hear, Workshop(lambda _: bars))
    assert tried.judgment.promote, tried.judgment.reason
    assert tried.trained is not None
    assert [each.name for each in tried.trained.manifest.members] == ["statistical", "naive"]
    assert tried.trained.manifest.train_end_ns == 700 * DAY_NS
    assert as_served(tried.trained).whole
    assert len(fitted) == 4, "three folds and the hold-out of the last fit, none of the comparison's"
    assert bench.heard[-1] == (1.0, "fitted")
    assert bench.heard == sorted(bench.heard, key=lambda each: each[0])
