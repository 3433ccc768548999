"""`tickcast backtest`: what it takes, what it refuses, and what it leaves behind."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from predictor.models import KNOWN
from predictor.parameters import Parameters
from predictor.training.backtest.__main__ import _options, _parser
from predictor.training.backtest.options import BacktestOptions, check, time_of
from predictor.training.backtest.past import walk_the_past
from predictor.training.backtest.trainings import require_unseen
from predictor.training.parameter_file import ParameterFile
from predictor.training.settings import TrainingSettings
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.times import from_rfc3339
from tests.backtest.pasts import a_past, saved_set
from tests.predictor_models.examples import DAY_NS
from tests.predictor_models.test_history import write_bars
from tests.processes import clean_environment


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "predictor.training.backtest", *words],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def prices(tmp_path: Path) -> str:
    return write_bars(tmp_path / "prices.csv", a_past(140))


def test_a_saved_set_walks_through_a_file_and_leaves_a_page_and_its_numbers(tmp_path: Path, prices: str) -> None:
    folder = saved_set(tmp_path / "models")
    words = ["--source", f"file:{prices}", "--from", "1970-03-01", "--to", "1970-05-10", "--model-set", str(folder)]
    done = run(tmp_path, *words, "--report", "out/report.html", "--cost-bps", "10")
    assert done.returncode == 0, done.stderr
    assert "wrote out/report.html and out/report.json" in done.stdout
    assert "RMSE/no change" in done.stdout
    report = json.loads((tmp_path / "out/report.json").read_bytes())
    assert (tmp_path / "out/report.html").read_text().startswith("<!DOCTYPE html>")
    assert report["first_as_of"] == "1970-03-02T00:00:00Z"
    assert report["last_matured"] == "1970-05-11T00:00:00Z"
    assert report["options"] | {"source": "file", "cost_bps": 10.0, "refit_bars": None} == report["options"]
    assert [each["model_set"] for each in report["sets"]] == ["set-linear", "statistical"], "BBB has to warm up"
    assert str(tmp_path) not in json.dumps(report)
    first = (tmp_path / "out/report.json").read_bytes()
    assert run(tmp_path, *words, "--report", "out/report.html", "--cost-bps", "10").returncode == 0
    assert (tmp_path / "out/report.json").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--to", "2010-01-05"], "backtest: --from is missing"),
        (["--from", "2012-13-01"], "backtest: --from '2012-13-01': give a date like 2010-01-04"),
        (["--from", "2010-01-04", "--models", "foresst"], "backtest: --models: foresst is unknown; known are arima"),
    ],
)
def test_a_wrong_option_is_named_in_one_line(tmp_path: Path, words: list[str], line: str) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == EXIT_STOP_AND_SAY
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from_ns": 5, "to_ns": 5}, "--to 1970-01-01T00:00:00.000000005Z is not after --from"),
        ({"model_set": Path("set"), "members": ("naive",)}, "leave one of them out"),
        ({"from_outcomes": True, "members": ("naive",)}, "--from-outcomes reports what was predicted live"),
    ],
)
def test_options_that_do_not_fit_each_other_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(StopAndSayError, match=words):
        check(replace(BacktestOptions(from_ns=1), **changes), KNOWN)  # type: ignore[arg-type]


def test_a_date_that_ends_is_its_last_day_and_a_time_is_a_time() -> None:
    assert time_of("--to", "2010-01-04", end=True) == from_rfc3339("2010-01-05")
    assert time_of("--to", "2010-01-04T00:00:00Z", end=True) == from_rfc3339("2010-01-04")
    assert time_of("--from", " 2010-01-04 ") == from_rfc3339("2010-01-04")
    assert time_of("--from", None) is None


def test_the_defaults_refit_every_252_dates_and_a_saved_set_never() -> None:
    options = _options(_parser().parse_args(["--from", "2010-01-04"]))
    assert options == BacktestOptions(from_ns=from_rfc3339("2010-01-04"))
    assert options.refit_bars == 252
    assert _options(_parser().parse_args(["--no-refit"])).refit_bars is None
    assert _options(_parser().parse_args(["--model-set", "x"])).refit_bars is None
    assert _options(_parser().parse_args(["--models", "naive, arima"])).members == ("naive", "arima")


@pytest.mark.parametrize(
    "words", [["--refit-bars", "0"], ["--cost-bps", "-1"], ["--cost-bps", "x"], ["--report", "a.txt"]]
)
def test_numbers_and_names_that_cannot_be_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(words)
    assert words[0] in capsys.readouterr().err


def past(prices: str, options: BacktestOptions, **settings: object) -> None:
    given = {"source": f"file:{prices}"} | settings
    walk_the_past(TrainingSettings(_env_file=None, **given), options)  # type: ignore[arg-type]


def test_what_does_not_fit_the_source_or_the_set_is_said_with_the_option(tmp_path: Path, prices: str) -> None:
    folder = saved_set(tmp_path / "models")
    options = BacktestOptions(from_ns=60 * DAY_NS, model_set=folder)
    with pytest.raises(StopAndSayError, match="--source simulated: it has no past"):
        past(prices, options, source="simulated")
    with pytest.raises(StopAndSayError, match="--interval 1h: replay has daily bars"):
        past(prices, options, source="replay", interval="1h")
    with pytest.raises(StopAndSayError, match=r"--from 2000-01-01T00:00:00Z: no bar starts .* bars from 1970-01-01"):
        past(prices, replace(options, from_ns=from_rfc3339("2000-01-01")))
    with pytest.raises(StopAndSayError, match=r"--model-set .*nowhere: model set .* cannot be read"):
        past(prices, replace(options, model_set=tmp_path / "nowhere"))
    with pytest.raises(StopAndSayError, match=r"--model-set .*: model set .* does not fit: its horizons"):
        past(prices, options, horizons=(1, 5))
    with pytest.raises(StopAndSayError, match="--from 1969-12-01T00:00:00Z: the set was trained through 1970-01-01"):
        past(prices, replace(options, from_ns=from_rfc3339("1969-12-01")))
    with pytest.raises(StopAndSayError, match="--from: before 1970-03-02T00:00:00Z there is too little to train on"):
        past(prices, replace(options, model_set=None))
    (folder / "lstm.onnx").write_bytes(b"")
    with pytest.raises(StopAndSayError, match=r"members cannot be loaded .*SHA-256"):
        past(prices, options)


def test_parameters_that_have_seen_the_span_are_refused() -> None:
    found = ParameterFile(parameters=Parameters(), through_ns=10 * DAY_NS)
    require_unseen(found, 10 * DAY_NS)
    with pytest.raises(StopAndSayError, match="--parameters: the search has seen bars through 1970-01-11"):
        require_unseen(found, 9 * DAY_NS)


@pytest.mark.slow
def test_two_rules_are_trained_on_the_way_as_an_ensemble_of_their_own(tmp_path: Path) -> None:
    prices = write_bars(tmp_path / "prices.csv", a_past(800))
    words = ["--source", f"file:{prices}", "--from", "1972-01-01", "--to", "1972-02-25", "--refit-bars", "30"]
    done = run(tmp_path, *words, "--models", "naive,statistical")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "var/backtest/report.json").read_bytes())
    assert [each["members"] for each in report["sets"]] == [["naive", "statistical"]] * len(report["sets"])
    assert [each["first_as_of"] for each in report["sets"]] == ["1972-01-02T00:00:00Z", "1972-02-01T00:00:00Z"]
    assert [each["train_end"] for each in report["sets"]] == ["1972-01-01T00:00:00Z", "1972-01-31T00:00:00Z"]
