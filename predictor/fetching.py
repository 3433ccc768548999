"""Fetch model sets from the artifact store beside the loop that wants them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from predictor.artifacts import UnfitModelSetError
from predictor.store import ArtifactStore
from predictor.stored_sets import fetch_set
from schemas.errors import RetryError

#: How long whoever serves waits for sets: far less than the group bears.
WAIT_SECONDS = 1.0
#: A set that cannot be had is tried again so often.
TRY_AGAIN_SECONDS = 5.0


class NotYetFetchedError(UnfitModelSetError):
    """The set may come: ask again later."""


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    until_seconds: float


class SetFetcher:
    """Fetches a set at a time, in a thread of its own.

    A predictor that stands still for four seconds may lose its partitions, and a store may take a minute to say no. So
    the caller waits a moment only, for all that it asks for in one go (until it rests for `TRY_AGAIN_SECONDS`), and
    asks again: the fetch goes on meanwhile. Where it fails, that is remembered, and the next one that was asked for
    since is tried: a caller with many sets to try neither waits for each nor starts over with the first for ever.
    """

    def __init__(
        self,
        store: ArtifactStore,
        directory: Path,
        wait_seconds: float = WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._directory = directory
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._wanted: dict[str, None] = {}  # in the order of asking: the first is under way
        self._fetched: dict[str, Path] = {}
        self._failed: dict[str, _Failure] = {}
        self._waited_at_seconds = clock()
        self._wait_left_seconds = wait_seconds

    def fetch(self, manifest_sha256: str) -> Path:
        """Give the folder of a set that the store has, when it is there.

        Raises:
            NotYetFetchedError: It is not there yet: ask again later.
            UnfitModelSetError: It cannot be had: likewise.
        """
        with self._changed:
            self._raise_failure(manifest_sha256)
            if manifest_sha256 not in self._fetched:
                began_seconds = self._clock()
                self._want(manifest_sha256)
                self._wait_for(manifest_sha256, began_seconds)
            self._raise_failure(manifest_sha256)
            if manifest_sha256 not in self._fetched:
                raise NotYetFetchedError(f"it is being fetched from {self._store.name}")
            return self._fetched.pop(manifest_sha256)

    def _raise_failure(self, manifest_sha256: str) -> None:
        failure = self._failed.get(manifest_sha256)
        if failure is None:
            return
        if self._clock() < failure.until_seconds:
            raise UnfitModelSetError(failure.reason)
        del self._failed[manifest_sha256]

    def _want(self, manifest_sha256: str) -> None:
        idle = not self._wanted
        self._wanted[manifest_sha256] = None
        if next(iter(self._wanted)) != manifest_sha256:
            raise NotYetFetchedError(f"another one is being fetched from {self._store.name}")
        if idle:
            # Not an executor's thread: those are waited for at the end of the process, however long the store takes.
            threading.Thread(target=self._run, args=(manifest_sha256,), name="fetch", daemon=True).start()

    def _wait_for(self, manifest_sha256: str, began_seconds: float) -> None:
        if began_seconds >= self._waited_at_seconds + TRY_AGAIN_SECONDS:
            self._wait_left_seconds = self._wait_seconds
        if self._wait_left_seconds > 0:
            self._changed.wait_for(lambda: manifest_sha256 not in self._wanted, self._wait_left_seconds)
            self._waited_at_seconds = self._clock()
            self._wait_left_seconds -= self._waited_at_seconds - began_seconds

    def _run(self, first: str) -> None:
        """Fetch what is wanted, until there is one, or all have failed."""
        wanted: str | None = first
        while wanted is not None:
            try:
                folder = fetch_set(self._store, wanted, self._directory)
            except (RetryError, OSError) as error:
                wanted = self._fail(wanted, str(error))
            except Exception as error:  # retry: whatever it is, who asked must not wait for ever
                wanted = self._fail(wanted, f"{type(error).__name__}: {error}")
            else:
                self._succeed(wanted, folder)
                return

    def _fail(self, manifest_sha256: str, reason: str) -> str | None:
        with self._changed:
            del self._wanted[manifest_sha256]
            self._failed[manifest_sha256] = _Failure(reason, self._clock() + TRY_AGAIN_SECONDS)
            self._changed.notify_all()
            return next(iter(self._wanted), None)

    def _succeed(self, manifest_sha256: str, folder: Path) -> None:
        """Let the others go: who still wants them asks again."""
        with self._changed:
            self._wanted.clear()
            self._fetched[manifest_sha256] = folder
            self._changed.notify_all()
