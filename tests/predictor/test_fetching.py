"""Sets that the store is slow to give, or to say no to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from predictor.artifacts import UnfitModelSetError
from predictor.fetching import TRY_AGAIN_SECONDS, NotYetFetchedError, SetFetcher
from predictor.store import ArtifactStore, MissingArtifactError
from predictor.stored_sets import put_set
from schemas.broker import wait_until
from tests.artifact_server import ArtifactServer
from tests.predictor.clocks import Clock
from tests.predictor.stores import save_small_set

ABSENT = [digit * 64 for digit in "123"]


class SlowToSayNo(ArtifactStore):
    """A store that takes a while by a test's clock, and has nothing."""

    def __init__(self, clock: Clock, answer_seconds: float) -> None:
        super().__init__("/nothing/here")
        self.asked: list[str] = []
        self._clock = clock
        self._answer_seconds = answer_seconds

    def get(self, sha256: str) -> bytes:
        self.asked.append(sha256)
        self._clock.now_seconds += self._answer_seconds
        raise MissingArtifactError(f"artifact {sha256} is not here")


@pytest.fixture
def server() -> Iterator[ArtifactServer]:
    given = ArtifactServer()
    yield given
    given.stop()


def test_one_pass_waits_once_however_many_sets_it_asks_for(tmp_path: Path) -> None:
    clock = Clock()
    store = SlowToSayNo(clock, answer_seconds=100.0)
    fetcher = SetFetcher(store, tmp_path, wait_seconds=60, clock=clock)
    with pytest.raises(UnfitModelSetError, match="is not here"):
        fetcher.fetch(ABSENT[0])
    with pytest.raises(NotYetFetchedError):  # nothing is left to wait with
        fetcher.fetch(ABSENT[1])
    wait_until(lambda: store.asked == ABSENT[:2], seconds=60, what="the second one being tried all the same")


def test_after_a_rest_it_waits_again(tmp_path: Path) -> None:
    clock = Clock()
    fetcher = SetFetcher(SlowToSayNo(clock, answer_seconds=100.0), tmp_path, wait_seconds=60, clock=clock)
    for sha256 in ABSENT:
        with pytest.raises(UnfitModelSetError, match="is not here"):
            fetcher.fetch(sha256)
        clock.now_seconds += TRY_AGAIN_SECONDS


def test_what_was_asked_for_meanwhile_is_tried_when_one_fails_until_one_is_there(
    server: ArtifactServer, tmp_path: Path
) -> None:
    store = ArtifactStore(f"http://{server.host}")
    there = put_set(store, save_small_set(tmp_path / "there", "set-a", forest=b"trees"))
    server.asked.clear()
    server.open.clear()
    fetcher = SetFetcher(store, tmp_path / "here", wait_seconds=0.01)
    for sha256 in (ABSENT[0], ABSENT[1], there, ABSENT[2]):
        with pytest.raises(NotYetFetchedError):
            fetcher.fetch(sha256)
    server.open.set()
    wait_until((tmp_path / "here" / "set-a").is_dir, seconds=60, what="the set")
    first_asked = list(dict.fromkeys(path[-64:] for _, path in server.asked))
    assert first_asked[:3] == [*ABSENT[:2], there]
    assert ABSENT[2] not in first_asked, "one is enough"


def test_an_error_that_nobody_thought_of_is_one_more_reason(tmp_path: Path) -> None:
    class Broken(SlowToSayNo):
        def get(self, sha256: str) -> bytes:
            raise ZeroDivisionError("by zero")

    fetcher = SetFetcher(Broken(Clock(), 0.0), tmp_path, wait_seconds=60)
    with pytest.raises(UnfitModelSetError, match="ZeroDivisionError: by zero"):
        fetcher.fetch(ABSENT[0])
