"""Have Kafka's jars on disk, each with the checksum of the lock; fetch from Maven Central what is missing."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Event

from deploy.kafka.lock import LockedJar, sha256_of
from deploy.say import Say
from schemas.errors import StopAndSayError

_DOWNLOADS_AT_ONCE = 8
_TRIES = 2

#: Gives the path of one downloaded jar, below a folder.
Fetch = Callable[[LockedJar, Path], Path]


class UnavailableError(StopAndSayError):
    """Local Kafka is not available on this machine now; the text says why. Another broker may serve."""


class ChecksumError(StopAndSayError):
    """A jar that was fetched is not the one that was pinned."""


def have_jars(jars: Sequence[LockedJar], folder: Path, fetch: Fetch, say: Say) -> list[Path]:
    """Give the class path, after checking every jar; without network where all are there.

    Args:
        jars: What must be there, in the order of the class path.
        folder: Of the jars; made where missing, shared between clones.
        fetch: Gets what is missing or damaged.
        say: Told once when something is fetched.

    Raises:
        UnavailableError: The folder cannot be written, or Maven Central not reached.
        ChecksumError: What came is not what was pinned; nothing of it is kept.
    """
    missing = [jar for jar in jars if not _is_sound(folder / jar.filename, jar)]
    if missing:
        say(f"fetching {len(missing)} jars of Apache Kafka into {folder} (once)")
        _fetch_all(missing, folder, fetch)
    return [folder / jar.filename for jar in jars]


def _is_sound(path: Path, jar: LockedJar) -> bool:
    try:
        return sha256_of(path) == jar.sha256
    except OSError:
        return False


def _fetch_all(jars: list[LockedJar], folder: Path, fetch: Fetch) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder))
    except OSError as error:
        raise UnavailableError(
            f"the folder for Kafka's jars cannot be written ({error}): set TICKCAST_JARS_FOLDER to one that can"
        ) from error
    try:
        _run_downloads([_download(jar, folder, staging, fetch) for jar in jars])
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run_downloads(downloads: list[Callable[[], None]]) -> None:
    """Run several at once; after the first that fails, start no more and raise its error."""
    failed = Event()

    def run(download: Callable[[], None]) -> None:
        if not failed.is_set():
            try:
                download()
            except Exception:
                failed.set()
                raise

    # Ctrl-C waits for none: these threads end with the process, where an executor's would hold it up.
    with ThreadPool(_DOWNLOADS_AT_ONCE) as pool:
        pool.map(run, downloads, chunksize=1)


def _download(jar: LockedJar, folder: Path, staging: Path, fetch: Fetch) -> Callable[[], None]:
    def run() -> None:
        came = fetch(jar, staging)
        found = sha256_of(came)
        if found != jar.sha256:
            raise ChecksumError(
                f"{jar.filename} came with checksum {found[:16]}…, not {jar.sha256[:16]}… as pinned in jgo.lock.toml: "
                "it was thrown away; look at what stands between this machine and Maven Central"
            )
        came.replace(folder / jar.filename)

    return run


def maven_fetch(repository: str = "") -> Fetch:
    """Give a fetch from a Maven repository, through jgo.

    Args:
        repository: Its address; empty for Maven Central.

    Raises:
        UnavailableError: jgo is not installed.
    """
    try:
        from requests import RequestException  # noqa: PLC0415 - jgo's own client

        from deploy.kafka.maven import maven_context  # noqa: PLC0415 - an extra, and only to fetch
    except ImportError as error:
        raise UnavailableError(f"{error.name} is not installed: pip install 'tickcast[local]'") from error

    def fetch(jar: LockedJar, staging: Path) -> Path:
        for attempt in range(1, _TRIES + 1):
            context = maven_context(Path(tempfile.mkdtemp(dir=staging)), repository)
            try:
                component = context.project(jar.group, jar.artifact).at_version(jar.version)
                return Path(component.artifact().resolve())
            except (RequestException, OSError, RuntimeError) as error:
                if attempt == _TRIES:
                    raise UnavailableError(f"{jar.filename} could not be fetched: {_reason(error)}") from error
        raise AssertionError("unreachable")

    return fetch


def _reason(error: Exception) -> str:
    """Shorten what the client says, which names addresses and objects, to its kind."""
    if type(error).__name__ in ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError"):
        return f"the Maven repository cannot be reached ({type(error).__name__})"
    return str(error).splitlines()[0][:160]
