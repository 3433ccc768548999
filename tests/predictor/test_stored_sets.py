"""Sets in the artifact store: whole, or not there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from predictor.artifacts import MANIFEST_FILE, UnfitModelSetError, read_manifest
from predictor.saving import Challenger, model_event, save_manifest, with_challenger
from predictor.store import ArtifactStore, DamagedArtifactError, MissingArtifactError
from predictor.stored_sets import LEFT_SECONDS, fetch_set, prune, put_set, remove_leftovers, sets_to_keep
from schemas.events import ModelAction, ModelEvent
from tests.artifact_server import ArtifactServer
from tests.predictor.forecasters import Momentum, a_set
from tests.predictor.stores import digests_of, files_of, manifest_digest, save_small_set

MEMBERS = {"forest": b"many trees", "lstm": b"many weights"}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


@pytest.fixture
def server() -> Iterator[ArtifactServer]:
    given = ArtifactServer()
    yield given
    given.stop()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Give the folder of model sets of who fetches."""
    return tmp_path / "here"


def test_a_set_that_was_put_is_fetched_as_it_was(store: ArtifactStore, tmp_path: Path, here: Path) -> None:
    folder = save_small_set(tmp_path / "there", "set-a", **MEMBERS)
    sha256 = put_set(store, folder)
    assert (sha256, store.digests()) == (manifest_digest(folder), digests_of(folder))
    fetched = fetch_set(store, sha256, here)
    assert (fetched, files_of(fetched)) == (here / "set-a", files_of(folder))
    assert [path.name for path in here.iterdir()] == ["set-a"]


def test_the_manifest_is_put_last(server: ArtifactServer, tmp_path: Path) -> None:
    folder = save_small_set(tmp_path, "set-a", **MEMBERS)
    sha256 = put_set(ArtifactStore(f"http://{server.host}"), folder)
    assert len(server.writes()) == 3
    assert server.writes()[-1].endswith(sha256)


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "changed"])
def test_a_set_that_is_not_whole_is_not_put(store: ArtifactStore, tmp_path: Path, lost: bool) -> None:
    folder = save_small_set(tmp_path, "set-a", **MEMBERS)
    if lost:
        (folder / "lstm.onnx").unlink()
    else:
        (folder / "lstm.onnx").write_bytes(b"other weights")
    with pytest.raises(UnfitModelSetError, match=r"lstm\.onnx"):
        put_set(store, folder)
    assert not store.has(manifest_digest(folder))


@pytest.mark.parametrize("what", ["lstm.onnx", MANIFEST_FILE])
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "damaged"])
def test_of_a_set_that_the_store_has_not_whole_nothing_is_fetched(
    store: ArtifactStore, tmp_path: Path, here: Path, what: str, lost: bool
) -> None:
    folder = save_small_set(tmp_path / "there", "set-a", **MEMBERS)
    manifest_sha256 = put_set(store, folder)
    (sha256,) = digests_of(folder) & {ArtifactStore(str(tmp_path / "other")).put((folder / what).read_bytes())}
    path = tmp_path / "store" / sha256[:2] / sha256
    path.unlink() if lost else path.write_bytes(b"rubbish")
    with pytest.raises(MissingArtifactError if lost else DamagedArtifactError, match=sha256):
        fetch_set(store, manifest_sha256, here)
    assert not here.exists() or list(here.iterdir()) == []


def test_a_set_that_is_there_is_left_alone_and_one_that_lost_a_file_is_healed(
    store: ArtifactStore, tmp_path: Path, here: Path
) -> None:
    folder = save_small_set(tmp_path / "there", "set-a", **MEMBERS)
    sha256 = put_set(store, folder)
    inode = fetch_set(store, sha256, here).stat().st_ino
    assert fetch_set(store, sha256, here).stat().st_ino == inode
    (here / "set-a" / "lstm.onnx").unlink()
    assert files_of(fetch_set(store, sha256, here)) == files_of(folder)


def test_a_set_has_its_name_when_its_files_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    folder = tmp_path / "set-a"
    seen_before_its_name: set[int] = set()

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        if not folder.exists():
            seen_before_its_name.add(synced[-1])

    monkeypatch.setattr("os.fsync", sync)
    save_small_set(tmp_path, "set-a", **MEMBERS)
    assert seen_before_its_name == {path.stat().st_ino for path in (folder, *folder.iterdir())}
    assert synced[-1] == tmp_path.stat().st_ino


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", ".hidden", "", "x\0y"])
@pytest.mark.parametrize("of_the_set", [True, False], ids=["set", "member"])
def test_names_that_lead_elsewhere_are_refused(
    store: ArtifactStore, tmp_path: Path, here: Path, name: str, of_the_set: bool
) -> None:
    folder = save_small_set(tmp_path / "there", "set-a", **MEMBERS)
    put_set(store, folder)
    manifest = read_manifest(folder)
    member = structs.replace(manifest.members[0], file=name)
    changes = {"model_set": name} if of_the_set else {"members": [member]}
    save_manifest(structs.replace(manifest, **changes), folder)
    sha256 = store.put((folder / MANIFEST_FILE).read_bytes())
    with pytest.raises(UnfitModelSetError, match="no plain name"):
        fetch_set(store, sha256, here)
    assert not here.exists()


def test_a_folder_that_is_no_set_is_not_replaced(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "artifacts"))
    folder = save_small_set(tmp_path / "there", "artifacts", **MEMBERS)
    sha256 = put_set(store, folder)
    with pytest.raises(UnfitModelSetError, match="is no model set"):
        fetch_set(store, sha256, tmp_path)
    assert store.digests() == digests_of(folder)


def test_an_artifact_that_is_no_manifest_is_refused(store: ArtifactStore, here: Path) -> None:
    for content in (b"\x80\x04pickled", b"{}", b"[" * 10_000):
        sha256 = store.put(content)
        with pytest.raises(UnfitModelSetError, match=f"{sha256} .* is no manifest"):
            fetch_set(store, sha256, here)


def decision(serving: str | None, challenger: str | None = None) -> ModelEvent:
    model_set = a_set([Momentum("forest", 1.0)], [1.0], name=serving or "none")
    event = model_event(model_set.manifest, model_set.folder, ModelAction.PROMOTED, "test", "", 1)
    beside = None if challenger is None else Challenger(challenger, share=0.1)
    return with_challenger(structs.replace(event, serving=serving), beside)


def test_what_serves_and_challenges_is_kept_and_what_served_before() -> None:
    decisions = [decision("f", "x"), decision("f", "y"), decision("e", "z"), *map(decision, "edcba")]
    assert sets_to_keep(decisions) == ["f", "x", "e", "d", "c"]
    assert sets_to_keep(decisions, count=1) == ["f", "x"]
    assert sets_to_keep([decision(None), decision("b"), decision("a")]) == ["b", "a"]
    assert sets_to_keep([]) == []


def test_what_is_not_kept_goes_and_what_kept_sets_share_with_it_stays(tmp_path: Path) -> None:
    models = tmp_path / "models"
    store = ArtifactStore(str(models / "artifacts"))
    folders = [save_small_set(models, f"set-{name}", naive=b"no change", forest=name.encode()) for name in "abc"]
    for folder in folders:
        put_set(store, folder)
    store.put(b"of a set whose training was killed")
    kept = digests_of(folders[1]) | digests_of(folders[2])
    assert prune(store, models, ["set-c", "set-b"]) == ["set-a"]
    assert sorted(path.name for path in models.iterdir()) == ["artifacts", "set-b", "set-c"]
    assert store.digests() == kept
    assert prune(store, models, ["set-c", "set-b"]) == []
    assert store.digests() == kept


def test_a_kept_set_that_lies_only_in_the_store_stays_there(store: ArtifactStore, tmp_path: Path, here: Path) -> None:
    elsewhere, gone = (save_small_set(tmp_path / "there", name, forest=name.encode()) for name in ("set-a", "set-b"))
    sha256 = put_set(store, elsewhere)
    put_set(store, gone)
    store.put(b"\0no manifest")
    assert prune(store, here, ["set-a"]) == []
    assert store.digests() == digests_of(elsewhere)
    assert files_of(fetch_set(store, sha256, here)) == files_of(elsewhere)


def test_where_nothing_is_kept_nothing_is_removed(store: ArtifactStore, tmp_path: Path) -> None:
    folder = save_small_set(tmp_path / "there", "set-a", **MEMBERS)
    put_set(store, folder)
    assert prune(store, folder.parent, []) == []
    assert store.digests() == digests_of(folder)
    assert folder.exists()


def test_of_a_web_server_the_artifacts_of_the_removed_sets_go(server: ArtifactServer, here: Path) -> None:
    store = ArtifactStore(f"http://{server.host}")
    old, new = (save_small_set(here, f"set-{name}", naive=b"no change", forest=name.encode()) for name in "ab")
    for folder in (old, new):
        put_set(store, folder)
    assert prune(store, here, ["set-b", "set-of-another-machine"]) == ["set-a"]
    kept = {path.rpartition("/")[2] for path in server.files}
    assert digests_of(new) < kept, "what a set names that is not here is not known, so all stays"
    old = save_small_set(here, "set-a", naive=b"no change", forest=b"a")
    assert prune(store, here, ["set-b"]) == ["set-a"]
    assert {path.rpartition("/")[2] for path in server.files} == digests_of(new)


def test_a_prune_that_the_store_interrupts_leaves_the_sets_and_goes_on_later(
    server: ArtifactServer, here: Path
) -> None:
    store = ArtifactStore(f"http://{server.host}")
    folders = [save_small_set(here, f"set-{name}", forest=name.encode()) for name in "ab"]
    for folder in folders:
        put_set(store, folder)
    server.fails_with = 503
    with pytest.raises(Exception, match="503"):
        prune(store, here, ["set-b"])
    assert all(folder.exists() for folder in folders)
    server.fails_with = None
    assert prune(store, here, ["set-b"]) == ["set-a"]


def test_what_a_kill_left_unfinished_goes_a_day_later_and_nothing_else_does(tmp_path: Path) -> None:
    models = tmp_path / "models"
    store = ArtifactStore(str(models / "artifacts"))
    folder = save_small_set(models, "set-a", **MEMBERS)
    sha256 = put_set(store, folder)
    left = models / ".unfinished-12345678"
    (left / "set").mkdir(parents=True)
    (left / "set" / "forest.onnx").write_bytes(b"many")
    half = models / "artifacts" / sha256[:2] / f".{sha256}.{'0' * 32}.unfinished"
    half.write_bytes(b"half")
    began_seconds = left.stat().st_mtime
    remove_leftovers(store, models, began_seconds + LEFT_SECONDS)
    assert (left.exists(), half.exists()) == (True, True), "somebody may still be at work on them"
    remove_leftovers(store, models, began_seconds + LEFT_SECONDS + 60)
    assert (left.exists(), half.exists()) == (False, False)
    assert (store.digests(), prune(store, models, ["set-a"])) == (digests_of(folder), [])


def test_a_store_that_writes_whole_or_not_at_all_has_nothing_unfinished(server: ArtifactServer, here: Path) -> None:
    store = ArtifactStore(f"http://{server.host}")
    folder = save_small_set(here, "set-a", **MEMBERS)
    put_set(store, folder)
    remove_leftovers(store, here, folder.stat().st_mtime + 2 * LEFT_SECONDS)
    assert len(server.files) == len(digests_of(folder))
