"""Who trains when: `ensure` announces what is there, and trains only where nothing fits."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from predictor.artifacts import read_manifest
from predictor.saving import model_event, save_manifest
from predictor.store import StoreUnreachableError, open_store
from predictor.stored_sets import put_set
from predictor.training import tasks
from predictor.training.settings import TrainingSettings
from predictor.training.split import TooFewSamplesError
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.events import ModelAction, ModelEvent
from schemas.settings import load_settings
from schemas.times import to_rfc3339
from tests.predictor.stores import digests_of, manifest_digest
from tests.training import Trained


@dataclass
class Stage:
    """A world without a broker and with a training that only says that it was called."""

    settings: TrainingSettings
    folder: Path
    decision: ModelEvent | None = None
    announced: list[ModelEvent] = field(default_factory=list)
    trainings: int = 0

    def decide(self, **changes: object) -> ModelEvent:
        event = model_event(read_manifest(self.folder), self.folder, ModelAction.TRAINED, "someone", "because", 1)
        self.decision = msgspec.structs.replace(event, **changes)
        return self.decision

    def train(self, _settings: TrainingSettings, *, announcing: bool) -> Path:
        assert announcing
        self.trainings += 1
        return self.folder

    def ensure(self, **changes: object) -> None:
        values = self.settings.model_dump() | changes
        tasks.ensure(TrainingSettings(_env_file=None, **values))


@pytest.fixture
def stage(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a stage with a copy of the trained set on disk."""
    folder = Path(shutil.copytree(trained.folder, tmp_path / "models" / trained.folder.name))
    values = trained.settings.model_dump() | {"models_directory": folder.parent}
    given = Stage(TrainingSettings(_env_file=None, **values), folder)
    monkeypatch.setattr(tasks, "require_models_topic", lambda _: None)
    monkeypatch.setattr(tasks, "newest_decision", lambda _: given.decision)
    monkeypatch.setattr(tasks, "announce", lambda _, event: given.announced.append(event))
    monkeypatch.setattr(tasks, "train_and_save", given.train)
    return given


def test_a_set_that_serves_already_is_left_alone(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    event = stage.decide()
    stage.ensure()
    assert (stage.announced, stage.trainings) == ([], 0)
    assert f"{event.serving} serves already" in capsys.readouterr().out


def test_an_announced_set_whose_folder_moved_is_found_by_its_name(stage: Stage) -> None:
    stage.decide(location="/not/here")
    stage.ensure()
    assert (stage.announced, stage.trainings) == ([], 0)


def test_without_a_decision_the_set_on_disk_is_announced(stage: Stage) -> None:
    stage.ensure()
    (event,) = stage.announced
    assert (event.action, event.serving, event.location) == ("announced", stage.folder.name, str(stage.folder))
    assert stage.trainings == 0


def test_the_store_has_what_is_announced_before_it_is(stage: Stage) -> None:
    in_the_way = stage.folder.parent / "artifacts"
    in_the_way.write_text("no folder")
    with pytest.raises(StoreUnreachableError):
        stage.ensure()
    assert stage.announced == []
    in_the_way.unlink()
    stage.ensure()
    store, sha256 = open_store(stage.settings), stage.announced[0].manifest_sha256
    assert sha256 == manifest_digest(stage.folder)
    assert store.digests() == digests_of(stage.folder)


def test_a_set_that_only_the_store_has_is_fetched_and_serves_already(stage: Stage) -> None:
    event = stage.decide(location="/not/here", manifest_sha256=put_set(open_store(stage.settings), stage.folder))
    shutil.rmtree(stage.folder)
    stage.ensure()
    assert (stage.announced, stage.trainings) == ([], 0)
    assert manifest_digest(stage.folder) == event.manifest_sha256


def test_the_line_says_how_long_before_the_start_the_set_from_disk_ends(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    train_end = to_rfc3339(read_manifest(stage.folder).train_end_ns)
    stage.ensure(start="2013-01-02")  # the set ends with 2007: five years, two of them leap years, and a day
    said = f"trained through {train_end}, 1,828 days before the start"
    assert said in capsys.readouterr().out
    assert said in stage.announced[0].reason


def test_the_newest_set_on_disk_is_announced(stage: Stage) -> None:
    older = Path(shutil.copytree(stage.folder, stage.folder.with_name("older")))
    manifest = read_manifest(older)
    save_manifest(msgspec.structs.replace(manifest, model_set="older", train_end_ns=manifest.train_end_ns - 1), older)
    stage.ensure()
    assert stage.announced[0].serving == stage.folder.name


@pytest.mark.parametrize(
    "changes",
    [
        {"start": "2007-06-01"},
        {"source": "file:other.csv", "start": "2020-01-01"},
        {"horizons": (1, 5)},
        {"interval": "1h"},
        {"training_window_bars": 500},
        {"training_window_bars": None},
        {"training_parameters": "other"},
    ],
    ids=str,
)
def test_a_set_on_disk_that_does_not_fit_is_passed_over_and_one_is_trained(
    stage: Stage, changes: dict[str, object], tmp_path: Path
) -> None:
    if "training_parameters" in changes:
        other = tmp_path / "other.json"
        other.write_text('{"parameters": {"forest": {"min_samples_leaf": 7}}}')
        changes = {"training_parameters": other}
    stage.ensure(**changes)
    assert (stage.announced, stage.trainings) == ([], 1)


def test_a_decision_for_a_set_that_is_lost_is_replaced(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.decide(serving="gone", location="/not/here")
    stage.ensure()
    assert [event.serving for event in stage.announced] == [stage.folder.name]
    assert "cannot be read" in capsys.readouterr().out


def test_a_set_with_a_lost_member_is_not_good_enough(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.decide()
    (stage.folder / "lstm.onnx").unlink()
    stage.ensure()
    assert (stage.announced, stage.trainings) == ([], 1)
    assert "has lost lstm" in capsys.readouterr().out


def test_the_decision_that_nothing_serves_is_kept(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.decide(serving=None, location=None, reason="it was bad")
    stage.ensure()
    assert (stage.announced, stage.trainings) == ([], 0)
    assert "it was bad" in capsys.readouterr().out


def test_a_file_that_is_played_from_its_first_row_is_not_trained_on(stage: Stage) -> None:
    on_disk = read_manifest(stage.folder)
    options = msgspec.structs.replace(on_disk.options, source="file:mine.csv")
    save_manifest(msgspec.structs.replace(on_disk, options=options), stage.folder)
    stage.ensure(source="file:mine.csv", start="")
    assert (stage.announced, stage.trainings) == ([], 0), "nor is the set that was trained through its end announced"


def test_too_little_history_stops_before_anything_is_trained(tmp_path: Path) -> None:
    settings = TrainingSettings(_env_file=None, models_directory=tmp_path, tickers=("AAPL",), start="2001-01-02")
    with pytest.raises(TooFewSamplesError, match="give about 800 bars"):
        tasks.train_and_save(settings, announcing=False)


def test_a_missing_package_says_which_extra_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "predictor.training.pipeline", None)
    settings = TrainingSettings(_env_file=None, models_directory=tmp_path)
    with pytest.raises(StopAndSayError, match=r"pip install 'tickcast\[train\]'"):
        tasks.train_and_save(settings, announcing=False)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"source": "nasdaq"}, "TICKCAST_SOURCE"),
        ({"start": "soon"}, "TICKCAST_START: .*like 2010-01-04"),
        ({"tickers": "A B"}, "TICKCAST_TICKERS"),
        ({"training_window_bars": 0}, "TICKCAST_TRAINING_WINDOW_BARS"),
        ({"horizons": "5,1"}, "TICKCAST_HORIZONS"),
    ],
)
def test_a_wrong_option_names_its_setting(values: dict[str, object], names: str) -> None:
    with pytest.raises(StopAndSayError, match=names):
        load_settings(TrainingSettings, _env_file=None, **values)


def run_command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "predictor.training", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_leaves_simulated_prices_alone(tmp_path: Path) -> None:
    answer = run_command("ensure", "--source", "simulated", folder=tmp_path)
    assert answer.returncode == 0
    assert answer.stdout.splitlines() == ["simulated prices teach nothing: the statistical forecaster answers"]


def test_the_command_stops_with_one_line_and_the_code_of_stopping(tmp_path: Path) -> None:
    answer = run_command("--before", "2000-06-01", folder=tmp_path)
    assert answer.returncode == EXIT_STOP_AND_SAY
    assert answer.stderr.startswith("trainer: ")
    assert len(answer.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
