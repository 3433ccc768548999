"""Fetch model sets from the artifact store beside the loop that wants them."""

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from predictor.artifacts import UnfitModelSetError
from predictor.store import ArtifactStore
from predictor.stored_sets import fetch_set
from schemas.errors import RetryError

#: How long whoever serves waits for a set: far less than the group bears.
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class _Fetch:
    manifest_sha256: str
    result: "Future[Path]" = field(default_factory=Future)


class SetFetcher:
    """Fetches a set at a time, in a thread of its own.

    A predictor that stands still for four seconds may lose its partitions, and a store may take a minute to answer. So
    the caller waits a moment only, and asks again: the fetch goes on meanwhile. While it does, no other one is begun or
    waited for, so that a caller with many sets to try waits once.
    """

    def __init__(self, store: ArtifactStore, directory: Path, wait_seconds: float = WAIT_SECONDS) -> None:
        self._store = store
        self._directory = directory
        self._wait_seconds = wait_seconds
        self._under_way: _Fetch | None = None

    def fetch(self, manifest_sha256: str) -> Path:
        """Give the folder of a set that the store has, when it is there.

        Raises:
            UnfitModelSetError: It is not there yet, or it cannot be had: ask again later.
        """
        fetch = self._fetch_of(manifest_sha256)
        wait([fetch.result], self._wait_seconds)
        if not fetch.result.done():
            raise UnfitModelSetError(f"it is being fetched from {self._store.name}")
        self._under_way = None
        try:
            return fetch.result.result()
        except (RetryError, OSError) as error:
            raise UnfitModelSetError(str(error)) from error

    def _fetch_of(self, manifest_sha256: str) -> _Fetch:
        under_way = self._under_way
        if under_way is not None and under_way.manifest_sha256 == manifest_sha256:
            return under_way
        if under_way is not None and not under_way.result.done():
            raise UnfitModelSetError(f"another one is being fetched from {self._store.name}")
        fetch = self._under_way = _Fetch(manifest_sha256)
        # Not an executor's thread: those are waited for at the end of the process, however long the store takes.
        threading.Thread(target=self._run, args=(fetch,), name="fetch", daemon=True).start()
        return fetch

    def _run(self, fetch: _Fetch) -> None:
        try:
            fetch.result.set_result(fetch_set(self._store, fetch.manifest_sha256, self._directory))
        except BaseException as error:  # the caller raises it
            fetch.result.set_exception(error)
