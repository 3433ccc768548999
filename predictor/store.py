"""The artifact store: the files of model sets under their SHA-256, in a folder, a bucket or on a web server."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from predictor.artifact_places import open_place
from predictor.settings import PredictorSettings
from schemas.errors import RetryError

_is_sha256 = re.compile(r"[0-9a-f]{64}").fullmatch
#: What is unfinished, or no artifact, has another kind of name.
_artifact_in = re.compile(r"(?:^|/)([0-9a-f]{2})/(\1[0-9a-f]{62})$").search


class ArtifactError(RetryError):
    """An artifact cannot be had, or kept, now."""


class MissingArtifactError(ArtifactError):
    """The store has no such artifact."""


class DamagedArtifactError(ArtifactError):
    """What lies under a SHA-256 has another one; to put the artifact again heals it."""


class StoreUnreachableError(ArtifactError):
    """The store does not answer, or does not do what it is asked."""


def digest_of(content: bytes) -> str:
    """Give the SHA-256 under which content is kept."""
    return hashlib.sha256(content).hexdigest()


class ArtifactStore:
    """Content by its SHA-256, at `<root>/<the first 2 digits>/<all 64>`.

    What is there under a name never changes, so nobody has to agree with anybody, and a copy is as good as the store.

    Attributes:
        name: Its address as people may see it.
        lists: Whether it can say what it has; a web server cannot.
    """

    def __init__(self, url: str) -> None:
        """Open a store; nothing is asked of it yet.

        Raises:
            StopAndSayError: It is no address of a store, or a package for it is not installed.
        """
        self._place = open_place(url)
        self.name = self._place.shown
        self.lists = self._place.lists

    def put(self, content: bytes) -> str:
        """Keep content, whole or not at all, and give its SHA-256; what is there already, and right, is left alone.

        Raises:
            StoreUnreachableError: It could not be written.
        """
        sha256 = digest_of(content)
        if not self._has_right(sha256):
            with self._reaching(f"artifact {sha256} cannot be written"):
                self._place.write(_name_of(sha256), content)
        return sha256

    def _has_right(self, sha256: str) -> bool:
        try:
            self.get(sha256)
        except (MissingArtifactError, DamagedArtifactError):
            return False
        return True

    def get(self, sha256: str) -> bytes:
        """Give the content that has this SHA-256.

        Raises:
            MissingArtifactError: It is not there.
            DamagedArtifactError: Something else is there.
            StoreUnreachableError: The store does not answer.
        """
        name = _name_of(sha256)
        with self._reaching(f"artifact {sha256} cannot be read"):
            try:
                content = self._place.read(name)
            except FileNotFoundError as error:
                raise MissingArtifactError(f"artifact {sha256} is not in {self.name}") from error
        if digest_of(content) != sha256:
            raise DamagedArtifactError(f"artifact {sha256} in {self.name} is damaged: its content has another SHA-256")
        return content

    def has(self, sha256: str) -> bool:
        """Tell whether something lies under this SHA-256; only `get` looks at what.

        Raises:
            StoreUnreachableError: The store does not answer.
        """
        with self._reaching(f"artifact {sha256} cannot be looked for"):
            return _is_sha256(sha256) is not None and self._place.has(_name_of(sha256))

    def digests(self) -> set[str]:
        """Give all that it has.

        Raises:
            StoreUnreachableError: The store does not answer, or cannot list.
        """
        if not self.lists:
            raise StoreUnreachableError(f"{self.name}: a web server does not list what it has")
        with self._reaching("what it has cannot be listed"):
            return {found[2] for path in self._place.paths() if (found := _artifact_in(path))}

    def remove(self, sha256: str) -> None:
        """Remove an artifact, if it is there.

        Raises:
            StoreUnreachableError: It could not be removed.
        """
        name = _name_of(sha256)
        with self._reaching(f"artifact {sha256} cannot be removed"):
            try:
                self._place.delete(name)
            except FileNotFoundError:
                return

    def remove_unfinished(self, until_seconds: float) -> None:
        """Remove what was begun before a time, in seconds since the epoch, and never became an artifact.

        Raises:
            StoreUnreachableError: It could not be removed.
        """
        with self._reaching("what is unfinished cannot be removed"):
            self._place.delete_unfinished(until_seconds)

    @contextmanager
    def _reaching(self, what: str) -> Iterator[None]:
        """Say which store failed at what, whatever its client raises: it may do so later, or not."""
        try:
            yield
        except ArtifactError:
            raise
        except Exception as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())
            raise StoreUnreachableError(f"{self.name}: {what}: {words}") from error


def _name_of(sha256: str) -> str:
    """Give the name of an artifact; what is no digest may be a path to anywhere, and has none.

    Raises:
        MissingArtifactError: It is no digest.
    """
    if not _is_sha256(sha256):
        raise MissingArtifactError(f"there is no artifact {sha256[:80]!r}: that is no SHA-256")
    return f"{sha256[:2]}/{sha256}"


def open_store(settings: PredictorSettings) -> ArtifactStore:
    """Open the store of the settings, by default a folder beside the model sets.

    Raises:
        StopAndSayError: TICKCAST_ARTIFACT_STORE is no address of a store, or a package for it is not installed.
    """
    return ArtifactStore(settings.artifact_store or str(settings.models_directory / "artifacts"))
