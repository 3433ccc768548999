"""The jars that Kafka needs: pinned by checksum in `jgo.lock.toml`, which names no address."""

import hashlib
import logging
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
SPECIFICATION = _FOLDER / "jgo.toml"
LOCK = _FOLDER / "jgo.lock.toml"


@dataclass(frozen=True)
class LockedJar:
    """One jar of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Give its name on disk."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: Path = LOCK) -> tuple[LockedJar, ...]:
    """Read the lock, in the order of the class path.

    Raises:
        KeyError: A jar has no checksum.
    """
    entries = tomllib.loads(lock.read_text())["dependencies"]
    return tuple(LockedJar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries)


def kafka_version(jars: tuple[LockedJar, ...]) -> str:
    """Give the version of the broker, like `4.3.1`."""
    return next(jar.version for jar in jars if jar.artifact.startswith("kafka_"))


def sha256_of(path: Path) -> str:
    """Give the checksum of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def specification_hash(specification: Path = SPECIFICATION) -> str:
    """Give what the lock notes of the specification that it was made from, as jgo does."""
    return hashlib.sha256(specification.read_text(encoding="utf-8").encode()).hexdigest()[:16]


def write_lock(repository: str = "") -> int:
    """Resolve `jgo.toml` anew and write the lock; for who changes the version. Takes half a minute.

    Returns:
        The number of jars.
    """
    from jgo.env import EnvironmentBuilder, EnvironmentSpec, LockFile  # noqa: PLC0415 - an extra, and only to pin

    from deploy.kafka.maven import maven_context  # noqa: PLC0415

    logging.getLogger("jgo").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="tickcast-lock-") as folder:
        context = maven_context(Path(folder), repository)
        specification = EnvironmentSpec.load(SPECIFICATION)
        inputs, transitive = context.resolver.resolve(
            EnvironmentBuilder(context=context, cache_dir=Path(folder)).spec_to_dependencies(specification)
        )
        needed: list[Any] = [d for d in [*inputs, *transitive] if d.scope in ("compile", "runtime")]
        LockFile.from_resolved_dependencies(
            needed,
            environment_name=specification.name,
            entrypoints=specification.entrypoints,
            default_entrypoint=specification.default_entrypoint,
            spec_hash=specification_hash(),
        ).save(LOCK)
    return len(needed)
