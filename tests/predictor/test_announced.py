"""Where the set of a decision is taken from."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from predictor.announced import Load, load_announced, load_challenger, load_checked
from predictor.artifacts import ModelSet, UnfitModelSetError
from predictor.fetching import TRY_AGAIN_SECONDS
from predictor.saving import Challenger, with_challenger
from predictor.serving import Serving
from predictor.settings import PredictorSettings
from predictor.store import ArtifactStore
from predictor.stored_sets import put_set
from schemas.broker import wait_until
from schemas.events import ModelEvent
from tests.artifact_server import ArtifactServer
from tests.brokers import BrokerUnderTest
from tests.predictor.clocks import Clock
from tests.predictor.saved_sets import save_linear_set
from tests.predictor.stores import files_of, save_small_set
from tests.processes import Processes

NOWHERE = "/not/of/this/machine"


@dataclass
class Stage:
    """A predictor's settings, a set that lies only in the store, and the event that announces it."""

    settings: PredictorSettings
    folder: Path
    store: ArtifactStore
    event: ModelEvent

    @property
    def own_folder(self) -> Path:
        return self.settings.models_directory / self.folder.name


@pytest.fixture
def server() -> Iterator[ArtifactServer]:
    given = ArtifactServer()
    yield given
    given.stop()


@pytest.fixture
def stage(server: ArtifactServer, tmp_path: Path) -> Stage:
    folder, event = save_linear_set(tmp_path / "there")
    address = f"http://{server.host}/models"
    store = ArtifactStore(address)
    settings = PredictorSettings(_env_file=None, models_directory=tmp_path / "here", artifact_store=address)
    event = structs.replace(event, location=NOWHERE, manifest_sha256=put_set(store, folder))
    server.asked.clear()
    return Stage(settings, folder, store, event)


def loaded(load: Load, event: ModelEvent) -> ModelSet:
    """Load as one that tries again does."""
    found: list[ModelSet] = []

    def there() -> bool:
        try:
            found.append(load_checked(load, event))
        except UnfitModelSetError:
            return False
        return True

    wait_until(there, seconds=60, what="the set")
    return found[0]


def test_a_set_that_lies_nowhere_here_is_fetched_once(stage: Stage, server: ArtifactServer) -> None:
    model_set = load_checked(load_announced(stage.settings, wait_seconds=60), stage.event)
    assert (model_set.folder, model_set.whole) == (stage.own_folder, True)
    assert files_of(stage.own_folder) == files_of(stage.folder)
    server.fails_with = 500
    assert load_checked(load_announced(stage.settings, wait_seconds=60), stage.event).folder == stage.own_folder


def test_a_set_that_is_where_it_was_announced_asks_nothing_of_the_store(stage: Stage, server: ArtifactServer) -> None:
    event = structs.replace(stage.event, location=str(stage.folder))
    assert load_checked(load_announced(stage.settings), event).folder == stage.folder
    assert server.asked == []


def test_a_folder_that_holds_another_manifest_than_announced_is_not_the_set(stage: Stage) -> None:
    for place in (stage.settings.models_directory, stage.folder.parent.with_name("place")):
        shutil.copytree(save_small_set(place / "x", "set-other", forest=b"x"), place / stage.folder.name)
    event = structs.replace(stage.event, location=str(stage.folder.parent.with_name("place") / stage.folder.name))
    model_set = load_checked(load_announced(stage.settings, wait_seconds=60), event)
    assert (model_set.manifest.model_set, model_set.folder) == ("set-linear", stage.own_folder)


def test_an_older_event_without_a_digest_is_looked_for_on_the_disk_only(stage: Stage, server: ArtifactServer) -> None:
    event = structs.replace(stage.event, manifest_sha256=None)
    with pytest.raises(UnfitModelSetError, match=r"manifest\.json cannot be read"):
        load_announced(stage.settings)(event)
    assert server.asked == []


def test_a_slow_store_does_not_hold_up_who_waits_and_the_set_is_there_later(
    stage: Stage, server: ArtifactServer
) -> None:
    load = load_announced(stage.settings, wait_seconds=0.01)
    server.open.clear()
    for _ in range(3):
        with pytest.raises(UnfitModelSetError, match=r"set-linear is not in .*: it is being fetched from http"):
            load(stage.event)
    with pytest.raises(UnfitModelSetError, match="another one is being fetched"):
        load(structs.replace(stage.event, manifest_sha256="1" * 64))
    wait_until(lambda: bool(server.asked), seconds=60, what="the question")
    assert len(server.asked) == 1, "asked once, however often it is tried"
    server.open.set()
    assert loaded(load, stage.event).whole


def test_a_store_that_fails_makes_an_unfit_set_until_it_answers_again(stage: Stage, server: ArtifactServer) -> None:
    clock = Clock()
    load = load_announced(stage.settings, wait_seconds=60, clock=clock)
    server.fails_with = 503
    for _ in range(2):
        with pytest.raises(UnfitModelSetError, match="503"):
            load(stage.event)
    assert len(server.asked) == 1, "a failure is remembered"
    clock.now_seconds = TRY_AGAIN_SECONDS
    with pytest.raises(UnfitModelSetError, match="503"):
        load(stage.event)
    server.fails_with = None
    clock.now_seconds = 2 * TRY_AGAIN_SECONDS
    assert load_checked(load, stage.event).whole


def test_a_set_that_the_store_does_not_have_is_unfit_and_says_where_it_was_looked_for(stage: Stage) -> None:
    event = structs.replace(stage.event, manifest_sha256="1" * 64)
    with pytest.raises(UnfitModelSetError, match=f"not in .*here/set-linear: artifact {'1' * 64} is not in http"):
        load_announced(stage.settings, wait_seconds=60)(event)


def test_models_that_cannot_be_written_here_are_said(stage: Stage) -> None:
    stage.settings.models_directory.write_text("a file, no folder")
    with pytest.raises(UnfitModelSetError, match="here"):
        load_announced(stage.settings, wait_seconds=60)(stage.event)


def test_who_serves_tries_again_and_goes_on_with_an_earlier_set_meanwhile(stage: Stage, server: ArtifactServer) -> None:
    clock = Clock()
    serving = Serving(stage.settings, load_announced(stage.settings, wait_seconds=60, clock=clock), clock)
    newest = structs.replace(stage.event, manifest_sha256="1" * 64, serving="set-lost")
    server.fails_with = 503
    serving.announce(newest, [stage.event])
    clock.now_seconds = TRY_AGAIN_SECONDS
    serving.try_again()
    assert serving.current is None
    server.fails_with = None
    clock.now_seconds = 2 * TRY_AGAIN_SECONDS
    serving.try_again()
    assert serving.current is not None
    assert serving.unloadable is not None
    serving.announce(stage.event)
    assert (serving.current.manifest.model_set, serving.unloadable) == ("set-linear", None)


def truncate(folder: Path) -> None:
    """Do to a member what a power cut does."""
    member = folder / "forest.onnx"
    member.write_bytes(member.read_bytes()[:100])


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in its own folder", "where it was announced"])
def test_a_member_that_was_cut_short_is_healed_from_the_store(stage: Stage, elsewhere: bool) -> None:
    whole = files_of(stage.folder)
    event = structs.replace(stage.event, location=str(stage.folder)) if elsewhere else stage.event
    load = load_announced(stage.settings, wait_seconds=60)
    truncate(load_checked(load, event).folder)
    model_set = load_checked(load, event)
    assert (model_set.folder, model_set.refused) == (stage.own_folder, {})
    assert files_of(stage.own_folder) == whole
    truncate(load_challenger(stage.settings, wait_seconds=60)(challenging(stage)).folder)
    assert load_challenger(stage.settings, wait_seconds=60)(challenging(stage)).refused == {}


def test_a_member_that_the_store_has_not_either_is_gone_without_and_one_that_may_come_is_waited_for(
    stage: Stage, server: ArtifactServer
) -> None:
    load = load_announced(stage.settings, wait_seconds=60)
    truncate(load(stage.event).folder)
    server.open.clear()
    with pytest.raises(UnfitModelSetError, match="is damaged: it is being fetched from http"):
        load_announced(stage.settings, wait_seconds=0.01)(stage.event)
    server.fails_with = 503
    server.open.set()
    assert list(load(stage.event).refused) == ["forest"]


def challenging(stage: Stage, **changes: object) -> ModelEvent:
    given = {"name": "set-linear", "location": NOWHERE, "manifest_sha256": stage.event.manifest_sha256}
    beside = Challenger(**{**given, **changes})  # type: ignore[arg-type]
    return with_challenger(structs.replace(stage.event, serving="set-served", members=[]), beside)


def test_a_challenger_is_fetched_and_is_the_one_that_was_announced(stage: Stage) -> None:
    load = load_challenger(stage.settings, wait_seconds=60)
    assert load(challenging(stage)).folder == stage.own_folder
    assert load(challenging(stage, location=str(stage.folder))).folder == stage.folder
    with pytest.raises(UnfitModelSetError, match=r"challenger set-b: .* holds set-linear"):
        load(challenging(stage, name="set-b"))
    with pytest.raises(UnfitModelSetError, match=r"artifact 1+ is not in"):
        load(challenging(stage, location=str(stage.folder), manifest_sha256="1" * 64))
    with pytest.raises(UnfitModelSetError, match="names no challenger"):
        load(stage.event)


def test_a_challenger_without_members_is_refused(stage: Stage, tmp_path: Path) -> None:
    folder = save_small_set(tmp_path / "there", "set-b", forest=b"no model")
    event = challenging(stage, name="set-b", manifest_sha256=put_set(stage.store, folder))
    with pytest.raises(UnfitModelSetError, match=r"challenger set-b is not whole: forest\.onnx cannot be loaded"):
        load_challenger(stage.settings, wait_seconds=60)(event)


def test_a_predictor_of_another_machine_serves_what_the_store_has(
    kafka: BrokerUnderTest, processes: Processes, stage: Stage
) -> None:
    settings = stage.settings
    places = {"models_directory": settings.models_directory, "artifact_store": settings.artifact_store}
    service = processes.start("predictor", environment=kafka.environment(**places))
    kafka.produce("models", stage.event, key=stage.event.model_set)
    service.wait_for(lambda: service.health().get("state") == "ready", what="the set's turn")
    assert files_of(stage.own_folder) == files_of(stage.folder)
    assert service.stop() == 0
