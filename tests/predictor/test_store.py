"""The artifact store: what is put comes back, or an error says why not."""

import hashlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.settings import PredictorSettings
from predictor.store import (
    ArtifactStore,
    DamagedArtifactError,
    MissingArtifactError,
    StoreUnreachableError,
    open_store,
)
from schemas.errors import RetryError, StopAndSayError
from tests.artifact_server import ArtifactServer
from tests.processes import clean_environment, free_port

ABSENT = "0" * 64


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def server() -> Iterator[ArtifactServer]:
    given = ArtifactServer()
    yield given
    given.stop()


@pytest.fixture(params=["folder", "web", "bucket"])
def address(
    request: pytest.FixtureRequest, tmp_path: Path, server: ArtifactServer, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Give each kind of store in turn."""
    if request.param == "bucket":
        keys = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}
        for name, value in {**keys, "ENDPOINT_URL": f"http://{server.host}"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
    addresses = {"folder": str(tmp_path / "store"), "web": f"http://{server.host}/a/", "bucket": "s3://bucket/models"}
    return addresses[request.param]


def damage(address: str, server: ArtifactServer, sha256: str, content: bytes) -> None:
    """Put other content in an artifact's place, behind the store's back."""
    name = f"{sha256[:2]}/{sha256}"
    if "://" in address:
        (path,) = (path for path in server.files if path.endswith(name))
        server.files[path] = content
    else:
        Path(address, name).write_bytes(content)


def test_what_is_put_comes_back_under_its_sha256_until_it_is_removed(address: str) -> None:
    store, content = ArtifactStore(address), b"\0model\xff" * 1_000
    assert not store.has(digest(content))
    assert store.put(content) == digest(content)
    other = ArtifactStore(address)
    assert (other.has(digest(content)), other.get(digest(content))) == (True, content)
    assert other.put(b"") == digest(b"")
    if store.lists:
        assert store.digests() == {digest(content), digest(b"")}
    for _ in range(2):
        store.remove(digest(content))
    assert (store.has(digest(content)), store.has(digest(b""))) == (False, True)


def test_what_is_there_and_right_is_not_written_again(address: str, server: ArtifactServer) -> None:
    store = ArtifactStore(address)
    for _ in range(3):
        store.put(b"once")
    if "://" in address:
        assert len(server.writes()) == 1
    else:
        path = Path(address, digest(b"once")[:2], digest(b"once"))
        inode = path.stat().st_ino
        store.put(b"once")
        assert path.stat().st_ino == inode


def test_an_artifact_that_is_not_there_is_named_with_its_store(address: str) -> None:
    store = ArtifactStore(address)
    with pytest.raises(MissingArtifactError, match=f"artifact {ABSENT} is not in ") as raised:
        store.get(ABSENT)
    assert store.name in str(raised.value)
    assert isinstance(raised.value, RetryError)


def test_a_damaged_artifact_is_refused_and_healed_by_the_next_put(address: str, server: ArtifactServer) -> None:
    store = ArtifactStore(address)
    sha256 = store.put(b"cut short here")
    for bad in (b"", b"cut sho", b"quite another one"):
        damage(address, server, sha256, bad)
        with pytest.raises(DamagedArtifactError, match=f"artifact {sha256} in .* is damaged"):
            store.get(sha256)
        store.put(b"cut short here")
        assert store.get(sha256) == b"cut short here"


@pytest.mark.parametrize("name", ["", "../../secret", "A" * 64, "0" * 63, "0" * 64 + "/x", "é" * 64])
def test_what_is_no_digest_leads_nowhere(tmp_path: Path, name: str) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    (tmp_path / "secret").write_text("keep out")
    assert not store.has(name)
    with pytest.raises(MissingArtifactError, match="that is no SHA-256"):
        store.get(name)
    with pytest.raises(MissingArtifactError, match="that is no SHA-256"):
        store.remove(name)


@settings(max_examples=25)  # each is written to the disk
@given(contents=st.lists(st.binary(max_size=2_000), max_size=8), removed=st.sets(st.integers(0, 7)))
def test_a_folder_has_what_was_put_and_not_removed(contents: list[bytes], removed: set[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, has = ArtifactStore(folder), dict[str, bytes]()
        for content in contents:
            has[store.put(content)] = content
        for number in removed & set(range(len(contents))):
            store.remove(digest(contents[number]))
            has.pop(digest(contents[number]), None)
        assert store.digests() == has.keys()
        assert {sha256: store.get(sha256) for sha256 in has} == has


_DIES_WHILE_IT_WRITES = """
import os, signal, sys
from predictor.store import ArtifactStore
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
ArtifactStore(sys.argv[1]).put(b"half of it is there" * 10_000)
"""


def test_a_kill_in_the_middle_leaves_nothing_that_is_taken_for_an_artifact(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _DIES_WHILE_IT_WRITES, str(tmp_path)], check=False, env=clean_environment()
    )
    assert ended.returncode == -signal.SIGKILL
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) == 1, "it died with the file under another name"
    content = b"half of it is there" * 10_000
    store = ArtifactStore(str(tmp_path))
    assert (store.digests(), store.has(digest(content))) == (set(), False)
    with pytest.raises(MissingArtifactError):
        store.get(digest(content))
    assert store.get(store.put(content)) == content


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(StoreUnreachableError, match=r"cannot be written: OSError: .*No space left"):
        store.put(b"content")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_server_that_is_not_there_is_not_one_that_has_nothing() -> None:
    store = ArtifactStore(f"http://somebody:secret@127.0.0.1:{free_port()}/models")
    for ask in (lambda: store.get(ABSENT), lambda: store.has(ABSENT), lambda: store.put(b"x")):
        with pytest.raises(StoreUnreachableError) as raised:
            ask()
        assert store.name in str(raised.value)
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize("code", [401, 403, 500, 503])
def test_a_server_that_refuses_is_said_with_its_code(server: ArtifactServer, code: int) -> None:
    server.fails_with = code
    store = ArtifactStore(f"http://{server.host}")
    for ask in (
        lambda: store.get(ABSENT),
        lambda: store.has(ABSENT),
        lambda: store.put(b"x"),
        lambda: store.remove(ABSENT),
    ):
        with pytest.raises(StoreUnreachableError, match=str(code)):
            ask()


def test_user_and_password_reach_the_server_and_nobody_else(server: ArtifactServer) -> None:
    store = ArtifactStore(f"http://somebody:p%40ss@{server.host}/models")
    assert "p@ss" not in store.name
    assert "p%40ss" not in store.name
    sha256 = store.put(b"x")
    store.remove(sha256)
    assert set(server.authorizations) == {"Basic c29tZWJvZHk6cEBzcw=="}
    elsewhere = ArtifactServer()
    elsewhere.files[f"/models/{sha256[:2]}/{sha256}"] = b"x"
    server.redirects_to = f"http://{elsewhere.host}"
    try:
        assert store.get(sha256) == b"x"
        assert elsewhere.authorizations == [None]
    finally:
        elsewhere.stop()


def test_a_web_server_is_not_listed(server: ArtifactServer) -> None:
    store = ArtifactStore(f"http://{server.host}")
    assert not store.lists
    with pytest.raises(StoreUnreachableError, match="does not list"):
        store.digests()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://host/x", "not ftp://"),
        ("https://", "with a host"),
        ("https:///path", "with a host"),
        ("https://user:secret@host/x?token=secret", r"https://host/x must be an address .* without \? and #"),
        ("https://host:port/", "is no address"),
        ("s3://key:secret@bucket", "AWS_ACCESS_KEY_ID"),
        ("https://user:secret/x@host/models", "https://… is no address; write .* as %2F, %23 and %3F"),
        ("https://user:1/secret@host/models", "https://… has @ behind its host; write .* as %2F"),
        ("https://user:1#secret@host/models", "https://… has @ behind its host; write .* as %2F"),
        ("https://user:1?secret@host/models", "https://… has @ behind its host; write .* as %2F"),
        ("https://user:[secret/x@host/models", "https://… is no address"),
        ("s3://key:1/secret@bucket", "s3://… has @ behind its host"),
        ("user:secret@https://host", "not that"),
    ],
)
def test_what_is_no_address_of_a_store_is_said_with_the_setting(address: str, says: str) -> None:
    with pytest.raises(StopAndSayError, match=f"TICKCAST_ARTIFACT_STORE: .*{says}") as raised:
        ArtifactStore(address)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("address", "package"), [("https://host/x", "aiohttp"), ("s3://bucket", "s3fs")])
def test_a_missing_package_says_which_extra_has_it(address: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(StopAndSayError, match=rf"{package} is missing: .* `pip install 'tickcast\[store\]'`"):
        ArtifactStore(address)


def test_by_default_it_is_a_folder_beside_the_model_sets_and_made_by_its_first_artifact(tmp_path: Path) -> None:
    settings = PredictorSettings(_env_file=None, models_directory=tmp_path / "models")
    store = open_store(settings)
    assert list(tmp_path.iterdir()) == []
    assert not store.digests()
    sha256 = store.put(b"x")
    assert (tmp_path / "models" / "artifacts" / sha256[:2] / sha256).read_bytes() == b"x"
    elsewhere = open_store(settings.model_copy(update={"artifact_store": f"file://{tmp_path}/other"}))
    assert elsewhere.name == str(tmp_path / "other")


def test_files_that_are_no_artifacts_are_none(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    sha256 = store.put(b"x")
    for name in (f"00/{sha256}", f"{sha256[:2]}/.{sha256}.1.unfinished", "notes.txt", f"{sha256[:2]}/{sha256[:63]}"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert store.digests() == {sha256}
