"""MLflow shows what `models` says: once each, and put right after whatever went wrong. Real MLflow, on SQLite."""

import multiprocessing
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from predictor.artifacts import read_manifest
from predictor.training.mirror import MlflowMirror, NoMirror, open_mirror, without_secrets
from predictor.training.mirror_client import absolute, open_client
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from tests.predictor_training.registries import MODEL, RegistryUnderTest


def contents(registry: RegistryUnderTest) -> object:
    """Give all that registering a set may change."""
    versions = {name: (v.version, v.run_id, dict(v.tags), v.source) for name, v in registry.versions().items()}
    runs = [(r.info.run_id, r.info.status, r.data.params, r.data.metrics, r.data.tags) for r in registry.runs()]
    return versions, runs, registry.aliases()


def test_a_set_becomes_a_version_with_its_run_parameters_scores_and_files(registry: RegistryUnderTest) -> None:
    manifest, folder = registry.save("set-1", train_end_ns=86_400 * 10**9)
    registry.mirror().register(manifest, folder, "decision-1")
    version, [run] = registry.versions()["set-1"], registry.runs()
    assert version.tags["decision_id"] == "decision-1"
    assert version.tags["train_end"] == "1970-01-02T00:00:00Z"
    assert len(version.tags["manifest_sha256"]) == 64
    assert (version.run_id, run.info.status, run.info.run_name) == (run.info.run_id, "FINISHED", "set-1")
    assert run.data.params["forest.n_estimators"] == "100"
    assert run.data.params["library.numpy"] == "2.4"
    assert (run.data.params["window_bars"], run.data.params["xgboost.rounds"]) == ("", "")
    assert run.data.metrics["ensemble/root_mean_squared_error_5"] == 0.03
    assert run.data.metrics["ensemble/error_ratio_5"] == pytest.approx(0.75)
    assert run.data.metrics["no_change/hit_rate_5"] == 0.5
    files = {file.path for file in registry.client.list_artifacts(run.info.run_id, "model_set")}
    assert files == {"model_set/manifest.json", "model_set/forest.onnx", "model_set/lstm.onnx"}
    assert Path(version.source.removeprefix("file://")).is_relative_to(registry.folder / "artifacts")


def test_the_same_set_of_the_same_decision_again_changes_nothing(registry: RegistryUnderTest) -> None:
    mirror, (manifest, folder) = registry.mirror(), registry.save("set-1")
    mirror.register(manifest, folder, "decision-1")
    mirror.set_aliases("set-1", None)
    before = contents(registry)
    mirror.register(manifest, folder, "decision-1")
    registry.mirror().register(manifest, folder, "decision-1")
    registry.mirror().set_aliases("set-1", None)
    assert contents(registry) == before


def test_another_decision_about_a_set_makes_no_other_version(registry: RegistryUnderTest) -> None:
    mirror, (manifest, folder) = registry.mirror(), registry.save("set-1")
    mirror.register(manifest, folder, "decision-1")
    mirror.register(manifest, folder, "decision-2")
    assert registry.versions()["set-1"].tags["decision_id"] == "decision-2"
    assert len(registry.runs()) == 1


def test_aliases_follow_the_decisions(registry: RegistryUnderTest) -> None:
    mirror = registry.mirror()
    for name in ("set-1", "set-2"):
        mirror.register(*registry.save(name), f"decision of {name}")
    for wanted in (("set-1", None), ("set-1", "set-2"), ("set-2", None), ("set-1", None), (None, None)):
        mirror.set_aliases(*wanted)
        expected = {name: each for name, each in zip(("champion", "challenger"), wanted, strict=True) if each}
        assert registry.aliases() == expected


def test_a_start_puts_right_what_is_missing_or_wrong(registry: RegistryUnderTest) -> None:
    mirror = registry.mirror()
    mirror.register(*registry.save("set-1"), "decision-1")
    mirror.set_aliases(None, "set-1")
    registry.save("set-2")  # it was decided on while MLflow was away
    registry.mirror().set_aliases("set-2", None)
    assert registry.aliases() == {"champion": "set-2"}
    assert "decision_id" not in registry.versions()["set-2"].tags


def test_an_alias_of_a_set_that_cannot_be_shown_goes(
    registry: RegistryUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    mirror = registry.mirror()
    mirror.register(*registry.save("set-1"), "decision-1")
    mirror.set_aliases("set-1", None)
    mirror.set_aliases("set-lost", None)
    assert registry.aliases() == {}
    assert any("set-lost is not shown in MLflow" in message for message in caplog.messages)


_STEPS = (
    *("create_run", "log_batch", "log_artifact", "set_terminated"),
    *("create_registered_model", "create_model_version", "set_registered_model_alias"),
)


class _Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize(
    ("step", "after"), [*((step, False) for step in _STEPS), ("create_run", True), ("create_model_version", True)]
)
def test_a_crash_at_any_step_leaves_nothing_that_confuses_the_next_start(
    registry: RegistryUnderTest, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    whole = getattr(MlflowClient, step)

    def die(*arguments: Any, **named: Any) -> None:
        if after:
            whole(*arguments, **named)
        raise _Killed

    manifest, folder = registry.save("set-1")

    def live() -> None:
        mirror = registry.mirror()
        mirror.register(manifest, folder, "decision-1")
        mirror.set_aliases("set-1", None)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, step, die)
        with pytest.raises(_Killed):
            live()
    registry.mirror().set_aliases("set-1", None)
    [run] = registry.runs()
    assert (run.info.status, run.info.run_id) == ("FINISHED", registry.versions()["set-1"].run_id)
    assert run.data.metrics["ensemble/hit_rate_5"] == 0.5
    assert len(registry.client.list_artifacts(run.info.run_id, "model_set")) == 3
    assert registry.aliases() == {"champion": "set-1"}


def _register_and_be_killed(uri: str, folder: Path) -> None:
    from mlflow import MlflowClient

    MlflowClient.create_model_version = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
    MlflowMirror(uri, MODEL, folder.parent).register(read_manifest(folder), folder, "decision-1")


def test_a_kill_between_run_and_version_is_made_good_by_another_set_too(registry: RegistryUnderTest) -> None:
    _, folder = registry.save("set-1")
    arguments = (registry.uri, folder)  # a fork, which spares the seconds of the import; no one here has it open yet
    process = multiprocessing.get_context("fork").Process(target=_register_and_be_killed, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert ([run.info.run_name for run in registry.runs()], registry.versions()) == (["set-1"], {})
    mirror = registry.mirror()
    mirror.register(*registry.save("set-2"), "decision-2")
    mirror.set_aliases("set-2", None)
    assert registry.aliases() == {"champion": "set-2"}
    mirror.set_aliases("set-1", None)
    assert registry.versions()["set-1"].run_id != registry.versions()["set-2"].run_id
    assert len(registry.runs()) == 2


def test_a_run_that_nobody_goes_on_with_is_ended(registry: RegistryUnderTest) -> None:
    mirror = registry.mirror()
    mirror.register(*registry.save("set-1"), "decision-1")
    experiment = registry.client.get_experiment_by_name(MODEL)
    left = registry.client.create_run(experiment.experiment_id, tags={"model_set": "set-never"})
    mirror.set_aliases("set-1", None)
    assert registry.client.get_run(left.info.run_id).info.status == "KILLED"


def test_a_server_that_is_away_is_said_and_made_up_for(
    registry: RegistryUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    manifest, folder = registry.save("set-1")
    database = registry.folder / "mlflow.db"
    away = database.rename(registry.folder / "away.db")
    database.mkdir()  # what cannot be opened
    mirror = registry.mirror()
    mirror.register(manifest, folder, "decision-1")
    mirror.set_aliases("set-1", None)
    assert [message.split(" (")[0].split(": ")[1] for message in caplog.messages] == [
        "set-1 is not shown yet", "the aliases are not moved yet",
    ]  # fmt: skip
    database.rmdir()
    away.rename(database)
    mirror.register(*registry.save("set-2"), "decision-2")
    assert registry.versions()["set-1"].tags["decision_id"] == "decision-1"
    mirror.set_aliases("set-2", "set-1")
    assert registry.aliases() == {"champion": "set-2", "challenger": "set-1"}


@pytest.mark.parametrize("listens", [False, True], ids=["nobody there", "no answer"])
def test_an_unreachable_server_holds_nobody_up(
    registry: RegistryUnderTest, listens: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    manifest, folder = registry.save("set-1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not listens:
            server.close()
        started = time.monotonic()
        mirror = open_mirror(registry.settings_at(f"http://someone:hunter2@127.0.0.1:{port}"))
        mirror.register(manifest, folder, "decision-1")
        mirror.set_aliases("set-1", None)
        assert time.monotonic() - started < 60, "MLflow by itself tries for minutes"
    assert len(caplog.messages) == 2
    assert all("hunter2" not in message and "127.0.0.1" in message for message in caplog.messages)


def test_a_set_that_is_gone_holds_up_no_other(registry: RegistryUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    manifest, folder = registry.save("set-1")
    shutil.rmtree(folder)
    mirror = registry.mirror()
    mirror.register(manifest, folder, "decision-1")
    mirror.register(*registry.save("set-2"), "decision-2")
    assert set(registry.versions()) == {"set-2"}
    assert "set-1 is not shown in MLflow" in caplog.text


def test_no_mirror_shows_nothing(registry: RegistryUnderTest) -> None:
    mirror = open_mirror(registry.settings_at("none"))
    assert isinstance(mirror, NoMirror)
    mirror.register(*registry.save("set-1"), "decision-1")
    mirror.set_aliases("set-1", None)
    assert registry.runs() == []


def test_the_default_is_a_database_in_var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mirror = open_mirror(TrainingSettings(_env_file=None))
    assert isinstance(mirror, MlflowMirror)
    assert mirror._uri == f"sqlite:///{tmp_path}/var/mlflow/mlflow.db"
    assert list(tmp_path.iterdir()) == [], "nothing is made before there is something to show"
    assert absolute("http://mlflow:5000") == "http://mlflow:5000"


def test_telemetry_is_off_and_nothing_is_written_beside(
    registry: RegistryUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.telemetry.client import get_telemetry_client
    from mlflow.telemetry.utils import is_telemetry_disabled

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    open_client(registry.uri)
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"
    assert is_telemetry_disabled()
    assert get_telemetry_client() is None
    registry.mirror().register(*registry.save("set-1"), "decision-1")
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "models", "artifacts"}


@pytest.mark.parametrize("text", ["mlflow:5000", "postgresql://someone:hunter2@host/db", "var/mlflow"])
def test_an_address_of_another_kind_is_refused_by_name(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_MLFLOW_TRACKING_URI", text)
    with pytest.raises(StopAndSayError, match=r"TICKCAST_MLFLOW_TRACKING_URI: .*http://mlflow:5000") as told:
        load_settings(TrainingSettings, _env_file=None)
    assert "hunter2" not in str(told.value)


def test_addresses_are_shown_without_who_logs_in() -> None:
    assert without_secrets("no answer of https://someone:hunter2@host/x") == "no answer of https://host/x"
