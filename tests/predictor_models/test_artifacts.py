"""Sets on disk: what is saved is what serves, and what does not fit is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from predictor import saving
from predictor.artifacts import MANIFEST_FILE, UnfitModelSetError, find_model_sets, load_model_set, read_manifest
from predictor.manifest import Manifest, fits, named
from predictor.saving import model_event, save_manifest, save_model_set
from schemas.codec import decoder, encode
from schemas.events import ModelAction, ModelEvent
from schemas.features import FEATURE_VERSION
from tests.predictor_models.examples import DAY_NS, HORIZONS, manifest, member
from tests.training import Trained

PAIR, BESIDE = ("forest", "lstm"), ("xgboost", "arima", "naive", "statistical")
FITTING: dict[str, Any] = {"interval": "1d", "horizons": HORIZONS}


@pytest.fixture
def copied(trained: Trained, tmp_path: Path) -> Path:
    """Give a copy of the trained set that a test may spoil."""
    return Path(shutil.copytree(trained.folder, tmp_path / "set"))


def test_a_manifest_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = manifest()
    save_manifest(saved, tmp_path)
    assert read_manifest(tmp_path) == saved
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST_FILE], "no unfinished file stays"


def test_a_trained_set_loads_whole(trained: Trained) -> None:
    model_set = trained.load()
    assert [each.forecaster.name for each in model_set.members] == [*PAIR, *BESIDE]
    assert [each.prior_weight for each in model_set.members] == [0.4, 0.6, 0.0, 0.0, 0.0, 0.0]
    assert [each.horizon for each in model_set.members[0].calibration] == list(HORIZONS)
    assert model_set.refused == {}
    assert model_set.folder.name == model_set.manifest.model_set


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"interval": "1h"}, "interval is 1d, not 1h"),
        ({"horizons": (1, 5)}, r"horizons is \(1, 5, 21\), not \(1, 5\)"),
    ],
)
def test_a_set_made_for_something_else_is_refused(trained: Trained, asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnfitModelSetError, match=reason):
        load_model_set(trained.folder, **(FITTING | asked))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_inputs": ["one"]}, "model inputs"),
        ({"sequence_shape": [10, 5]}, "sequence shape"),
        ({"feature_version": "other"}, f"feature version is other, not {FEATURE_VERSION}"),
    ],
)
def test_a_set_with_other_inputs_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason in str(fits(manifest(**changes), **FITTING))


def test_a_set_that_has_seen_the_next_bar_is_refused() -> None:
    end_ns = manifest().train_end_ns
    for before_ns, fitting in ((end_ns + DAY_NS, True), (end_ns, True), (end_ns - 1, False), (None, True)):
        reason = fits(manifest(), **FITTING, before_ns=before_ns)
        assert (reason is None) == fitting, "the next bar may begin when the last one trained on ends, not before"


NESTED = b'{"unknown": ' + b"[" * 10_000


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe", b'{"model_set": 5}', NESTED])
def test_a_missing_or_broken_manifest_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(UnfitModelSetError) as caught:
        load_model_set(tmp_path, **FITTING)
    assert "\n" not in str(caught.value)
    assert MANIFEST_FILE in str(caught.value)


def test_an_end_of_training_that_is_not_a_time_is_refused_with_the_manifest(tmp_path: Path) -> None:
    save_manifest(manifest(train_end_ns=10**30), tmp_path)
    with pytest.raises(UnfitModelSetError, match="train_end_ns"):
        load_model_set(tmp_path, **FITTING)


@pytest.mark.parametrize("name", ["nul\0.onnx", "long" * 100 + ".onnx"], ids=["NUL", "long"])
def test_a_member_whose_file_cannot_even_be_looked_for_stays_out(tmp_path: Path, name: str) -> None:
    impossible = msgspec.structs.replace(member("forest"), file=name)
    folder = save_model_set(manifest(members=[impossible]), {}, tmp_path)
    assert "cannot be read" in load_model_set(folder, **FITTING).refused["forest"]


def test_a_member_whose_file_changed_stays_out_and_the_other_carries_on(copied: Path) -> None:
    content = bytearray((copied / "forest.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (copied / "forest.onnx").write_bytes(content)
    model_set = load_model_set(copied, **FITTING)
    assert [each.forecaster.name for each in model_set.members] == ["lstm", *BESIDE]
    assert "SHA-256" in model_set.refused["forest"]


def test_a_member_whose_file_is_lost_stays_out_and_the_other_carries_on(copied: Path) -> None:
    (copied / "lstm.onnx").unlink()
    model_set = load_model_set(copied, **FITTING)
    assert [each.forecaster.name for each in model_set.members] == ["forest", *BESIDE]
    assert "cannot be read" in model_set.refused["lstm"]


def test_a_file_that_is_no_model_stays_out_although_its_checksum_is_right(tmp_path: Path) -> None:
    import hashlib

    spoilt = [
        msgspec.structs.replace(member(name), sha256=hashlib.sha256(b"no model").hexdigest())
        for name in ("forest", "gossip")
    ]
    folder = save_model_set(
        manifest(members=spoilt), {"forest.onnx": b"no model", "gossip.onnx": b"no model"}, tmp_path
    )
    model_set = load_model_set(folder, **FITTING)
    assert model_set.members == ()
    assert "cannot be loaded" in model_set.refused["forest"]
    assert "no forecaster is called 'gossip'" in model_set.refused["gossip"]


def test_sets_are_found_newest_data_first_and_what_is_broken_is_passed_over(tmp_path: Path) -> None:
    for name, train_end_ns, created_at_ns in (("a", 10, 1), ("b", 30, 1), ("c", 10, 2)):
        save_model_set(manifest(model_set=name, train_end_ns=train_end_ns, created_at_ns=created_at_ns), {}, tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / MANIFEST_FILE).write_text("{")
    assert [folder.name for folder, _ in find_model_sets(tmp_path)] == ["b", "c", "a"]
    assert find_model_sets(tmp_path / "nowhere") == []


def test_an_unfinished_set_is_never_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = saving._write

    def fail(path: Path, content: bytes) -> None:
        if path.name == MANIFEST_FILE:
            raise OSError("the disk is full")
        write(path, content)

    monkeypatch.setattr(saving, "_write", fail)
    with pytest.raises(OSError, match="full"):
        save_model_set(manifest(), {"forest.onnx": b"half"}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_saving_a_set_again_replaces_it(tmp_path: Path) -> None:
    save_model_set(manifest(samples=1), {"old": b""}, tmp_path)
    folder = save_model_set(manifest(samples=2), {"new": b""}, tmp_path)
    assert read_manifest(folder).samples == 2
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST_FILE, "new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_sets_name_changes_with_its_content_and_not_with_the_clock() -> None:
    first = named(manifest())
    slower = [msgspec.structs.replace(each, training_seconds=9.0) for each in first.members]
    assert named(manifest(members=slower, created_at_ns=5)).model_set == first.model_set
    other = [msgspec.structs.replace(each, sha256="1" * 64) for each in first.members]
    assert named(manifest(members=other)).model_set != first.model_set
    assert first.model_set.startswith("set-19720928-"), "the day of `before`"


def test_the_event_of_a_set_carries_what_the_manifest_says(trained: Trained) -> None:
    model_set = trained.load()
    event = model_event(model_set.manifest, trained.folder, ModelAction.TRAINED, "test", "why", 5)
    again = decoder(ModelEvent)(encode(event))
    assert again == event
    assert (event.model_set, event.serving) == (model_set.manifest.model_set,) * 2
    assert event.location == str(trained.folder)
    assert event.train_end_ns == model_set.manifest.train_end_ns
    assert [each.name for each in event.members] == [*PAIR, *BESIDE]
    for told, its in zip(event.members, model_set.manifest.members, strict=True):
        assert (told.hold_out, told.feature_importance) == (its.hold_out, its.feature_importance)
    assert event.hold_out == model_set.manifest.hold_out
    assert tuple(each.horizon for each in event.hold_out) == HORIZONS
    assert set(event.baselines) == {"no_change", "constant_direction"}


def test_a_manifest_is_readable_json_with_what_was_used(trained: Trained) -> None:
    plain = json.loads((trained.folder / MANIFEST_FILE).read_text())
    assert plain["options"]["seed"] == trained.settings.training_seed
    assert plain["tickers"] == ["AAPL", "IBM", "MSFT"]
    assert {"tensorflow", "scikit-learn", "onnxruntime"} <= set(plain["library_versions"])
    assert msgspec.convert(plain, Manifest) == read_manifest(trained.folder)
