"""Kafka's jars: pinned, checked, fetched only where they must be."""

import hashlib
import signal
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.kafka.jars import ChecksumError, UnavailableError, have_jars, maven_fetch
from deploy.kafka.lock import LOCK, LockedJar, kafka_version, locked_jars, specification_hash
from tests.processes import Processes, free_port


def _jar(number: int, content: bytes | None = None) -> LockedJar:
    body = content if content is not None else b"jar %d" % number
    return LockedJar("org.example", f"part{number}", "1.0", hashlib.sha256(body).hexdigest())


class Source:
    """Writes what it is told to, and counts."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def __call__(self, jar: LockedJar, folder: Path) -> Path:
        self.asked.append(jar.filename)
        if jar.filename not in self.contents:
            raise UnavailableError(f"{jar.filename} is nowhere")
        path = folder / jar.filename
        path.write_bytes(self.contents[jar.filename])
        return path


JARS = [_jar(number) for number in range(20)]


@pytest.fixture
def source() -> Source:
    return Source({f"part{number}-1.0.jar": b"jar %d" % number for number in range(20)})


def _left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".jar")


def test_the_lock_was_made_from_the_specification_as_it_is() -> None:
    assert f'spec_hash = "{specification_hash()}"' in LOCK.read_text()


def test_the_lock_pins_every_jar_by_checksum_and_names_no_address() -> None:
    jars = locked_jars()
    assert len(jars) > 40
    assert all(len(jar.sha256) == 64 and int(jar.sha256, 16) for jar in jars)
    assert len({jar.filename for jar in jars}) == len(jars)
    assert "://" not in LOCK.read_text()
    assert kafka_version(jars).startswith("4.")


def test_kafka_s_own_jars_are_all_of_one_version() -> None:
    versions = {jar.version for jar in locked_jars() if jar.group == "org.apache.kafka"}
    assert len(versions) == 1


def test_missing_jars_are_fetched_and_given_in_order(tmp_path: Path, source: Source) -> None:
    said: list[str] = []
    paths = have_jars(JARS, tmp_path / "made" / "on" / "demand", source, said.append)
    assert [path.name for path in paths] == [jar.filename for jar in JARS]
    assert paths[7].read_bytes() == b"jar 7"
    assert len(said) == 1
    assert "20 jars" in said[0]
    assert _left_over(paths[0].parent) == []


def test_jars_that_are_there_are_used_without_asking_anyone(tmp_path: Path, source: Source) -> None:
    have_jars(JARS, tmp_path, source, lambda _: None)
    source.asked.clear()
    said: list[str] = []
    have_jars(JARS, tmp_path, source, said.append)
    assert (source.asked, said) == ([], [])


def test_a_jar_damaged_on_disk_is_fetched_again_and_only_that_one(tmp_path: Path, source: Source) -> None:
    have_jars(JARS, tmp_path, source, lambda _: None)
    source.asked.clear()
    (tmp_path / "part3-1.0.jar").write_bytes(b"jar")
    have_jars(JARS, tmp_path, source, lambda _: None)
    assert source.asked == ["part3-1.0.jar"]
    assert (tmp_path / "part3-1.0.jar").read_bytes() == b"jar 3"


def test_a_jar_that_is_not_the_pinned_one_is_refused_and_not_kept(tmp_path: Path, source: Source) -> None:
    source.contents["part5-1.0.jar"] = b"something else"
    with pytest.raises(ChecksumError, match=r"part5-1\.0\.jar came with checksum"):
        have_jars(JARS, tmp_path, source, lambda _: None)
    assert not (tmp_path / "part5-1.0.jar").exists()
    assert _left_over(tmp_path) == []


def test_after_a_failure_no_more_is_fetched_and_the_reason_is_given(tmp_path: Path, source: Source) -> None:
    del source.contents["part0-1.0.jar"]
    with pytest.raises(UnavailableError, match=r"part0-1\.0\.jar is nowhere"):
        have_jars([JARS[0]] * 1_000, tmp_path, source, lambda _: None)
    assert len(source.asked) < 1_000
    assert _left_over(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named_with_the_setting_that_moves_it(
    tmp_path: Path, source: Source
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match="TICKCAST_JARS_FOLDER"):
        have_jars(JARS, tmp_path / "file", source, lambda _: None)


_FETCH_FOR_EVER = """
import sys, threading
from pathlib import Path
from deploy.kafka.jars import have_jars
from deploy.kafka.lock import locked_jars
from deploy.signals import raise_on_signals

def fetch(jar, folder):
    print("begun", flush=True)
    threading.Event().wait()

raise_on_signals()
try:
    have_jars(locked_jars(), Path(sys.argv[1]), fetch, print)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_waits_for_no_download(tmp_path: Path, processes: Processes) -> None:
    (processes.folder / "fetch_for_ever.py").write_text(_FETCH_FOR_EVER)
    fetching = processes.start("fetch_for_ever", str(tmp_path / "jars"))
    fetching.wait_for(lambda: "begun" in fetching.output(), what="a download")
    fetching.send(signal.SIGINT)
    assert fetching.wait(20) == 130
    assert _left_over(tmp_path / "jars") == []


class _Handler(SimpleHTTPRequestHandler):
    refusals = 0

    def do_GET(self) -> None:
        if self.path.endswith(".jar") and _Handler.refusals:
            _Handler.refusals -= 1
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """A Maven repository with one jar."""
    folder = tmp_path / "repository" / "org" / "example" / "part1" / "1.0"
    folder.mkdir(parents=True)
    (folder / "part1-1.0.jar").write_bytes(b"jar 1")
    _Handler.refusals = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(tmp_path / "repository")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_a_jar_comes_from_a_maven_repository(tmp_path: Path, repository: str) -> None:
    [path] = have_jars([JARS[1]], tmp_path / "jars", maven_fetch(repository), lambda _: None)
    assert path.read_bytes() == b"jar 1"


def test_a_repository_that_fails_once_is_asked_again(tmp_path: Path, repository: str) -> None:
    _Handler.refusals = 1
    [path] = have_jars([JARS[1]], tmp_path / "jars", maven_fetch(repository), lambda _: None)
    assert path.read_bytes() == b"jar 1"


def test_a_repository_without_the_jar_is_said_in_one_line(tmp_path: Path, repository: str) -> None:
    with pytest.raises(UnavailableError, match=r"^part2-1\.0\.jar could not be fetched: [^\n]+$"):
        have_jars([JARS[2]], tmp_path / "jars", maven_fetch(repository), lambda _: None)


def test_a_repository_that_cannot_be_reached_is_said_in_one_line(tmp_path: Path) -> None:
    fetch = maven_fetch(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match=r"the Maven repository cannot be reached"):
        have_jars(JARS, tmp_path / "jars", fetch, lambda _: None)
