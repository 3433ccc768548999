"""What must hold whoever was killed: `models`, the artifact store, MLflow and the predictions say the same."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from predictor.artifacts import MANIFEST_FILE, find_model_sets
from predictor.manifest import Manifest
from schemas.events import ModelEvent, Prediction
from tests.predictor.forecasters import HORIZONS


def assert_whole_in_store(decisions: Sequence[ModelEvent], store: Path) -> None:
    """Check that the sets that have a part by the newest decision lie in the store as they were saved."""
    if not decisions:
        return
    newest = decisions[-1]
    parts = ((newest.serving, newest.manifest_sha256), (newest.challenger, newest.challenger_sha256))
    for name, sha256 in parts:
        assert (name is None) == (sha256 is None), newest
        if sha256 is not None:
            _assert_whole(name, sha256, store)


def _assert_whole(name: str | None, manifest_sha256: str, store: Path) -> None:
    manifest = msgspec.json.decode(_content(manifest_sha256, store), type=Manifest)
    assert manifest.model_set == name
    assert [member.name for member in manifest.members] == ["forest", "lstm"]
    for member in manifest.members:
        _content(member.sha256, store)


def artifact_path(store: Path, sha256: str) -> Path:
    """Give the file of an artifact."""
    return store / sha256[:2] / sha256


def _content(sha256: str, store: Path) -> bytes:
    content = artifact_path(store, sha256).read_bytes()
    assert hashlib.sha256(content).hexdigest() == sha256
    return content


def assert_nothing_else_is_stored(store: Path, models: Path) -> None:
    """Check that under each name of an artifact lies what the sets on disk name, and no more."""
    folders = [folder for folder, _ in find_model_sets(models)]
    named = {hashlib.sha256(path.read_bytes()).hexdigest() for folder in folders for path in folder.iterdir()}
    stored = {path.name: path for path in store.glob("??/*") if not path.name.startswith(".")}
    assert set(stored) <= named
    for sha256 in stored:
        _content(sha256, store)


def wanted_mirror(decisions: Iterable[ModelEvent]) -> dict[str, Any]:
    """Give what MLflow is to say: a version of each set that ever had a part, its run, and who has a part now."""
    versions: dict[str, str] = {}
    newest = None
    for newest in decisions:
        for name in filter(None, (newest.serving, newest.challenger)):
            versions.setdefault(name, newest.id)
    parts = {} if newest is None else {"champion": newest.serving, "challenger": newest.challenger}
    return {
        "versions": sorted(versions.items()),
        "runs": sorted((name, "FINISHED") for name in versions),
        "aliases": {alias: name for alias, name in parts.items() if name is not None},
    }


def shown_mirror(client: Any, name: str) -> dict[str, Any]:
    """Give what MLflow says."""
    versions = list(client.search_model_versions(f"name='{name}'"))
    sets = {str(version.version): version.tags["model_set"] for version in versions}
    experiment = client.get_experiment_by_name(name)
    runs = [] if experiment is None else client.search_runs([experiment.experiment_id])
    models = client.search_registered_models(f"name='{name}'")
    return {
        "versions": sorted((version.tags["model_set"], version.tags["decision_id"]) for version in versions),
        "runs": sorted((run.data.tags["model_set"], run.info.status) for run in runs),
        "aliases": {alias: sets[str(number)] for model in models for alias, number in model.aliases.items()},
    }


def assert_answered_once(decisions: Sequence[ModelEvent], asked: Sequence[str]) -> None:
    """Check that each command has its one answer, in the order of asking, and that no decision was said twice."""
    assert [event.command_id for event in decisions if event.command_id is not None] == list(asked)
    assert set(Counter(event.id for event in decisions).values()) <= {1}


def assert_each_predicted(finals: Sequence[str], predictions: Sequence[Prediction], sets: set[str]) -> None:
    """Check that every final event has a prediction of each horizon, one of each set that answered it, none of another.

    What was said twice, because the word that it was said was lost, is the same.
    """
    assert {each.feature_id for each in predictions} == set(finals)
    assert {each.model_set for each in predictions} <= sets
    contents: dict[str, Prediction] = {}
    for each in predictions:
        assert [said.horizon for said in each.horizons] == list(HORIZONS)
        content = structs.replace(each, predicted_at_ns=0)
        assert contents.setdefault(each.id, content) == content
    answers = Counter((each.feature_id, each.model_set, each.shadow_model_set) for each in contents.values())
    assert set(answers.values()) == {1}


def plant_halves(folder: Path, store: Path) -> None:
    """Leave half of each file of a set under its name in the store, as a disk does that lost power too early."""
    for path in (*folder.glob("*.onnx"), folder / MANIFEST_FILE):
        content = path.read_bytes()
        place = artifact_path(store, hashlib.sha256(content).hexdigest())
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content[: len(content) // 2])
