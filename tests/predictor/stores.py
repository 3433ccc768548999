"""Sets of a few bytes, for stores that do not look into them."""

import hashlib
from pathlib import Path

from msgspec import structs

from predictor.artifacts import MANIFEST_FILE
from predictor.saving import save_model_set
from tests.predictor.forecasters import Momentum, a_set


def save_small_set(directory: Path, name: str, **contents: bytes) -> Path:
    """Save a set with these members, each a file of these bytes."""
    manifest = a_set([Momentum(member, 0.0) for member in contents], [1.0] * len(contents), name=name).manifest
    members = [
        structs.replace(member, sha256=hashlib.sha256(contents[member.name]).hexdigest()) for member in manifest.members
    ]
    files = {member.file: contents[member.name] for member in members}
    return save_model_set(structs.replace(manifest, members=members), files, directory)


def digests_of(folder: Path) -> set[str]:
    """Give the SHA-256 of each file of a set."""
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def manifest_digest(folder: Path) -> str:
    """Give the SHA-256 of its manifest."""
    return hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()


def files_of(folder: Path) -> dict[str, bytes]:
    """Give the content of each file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
