"""Sets whose members are a few bytes: whole for the trainer, which loads none."""

import hashlib
from pathlib import Path
from typing import Any

from msgspec import structs

from predictor.manifest import Manifest
from predictor.saving import model_event, save_model_set
from predictor.training.service.next_state import FoundSet
from schemas.events import ModelAction, ModelEvent
from tests.predictor.forecasters import Momentum, a_set


def tiny_manifest(name: str, **changes: Any) -> Manifest:
    """Give the manifest of a set with one member, whose file holds the set's name."""
    manifest = a_set([Momentum("forest", 0.0)], [1.0], name=name, **changes).manifest
    (member,) = manifest.members
    digest = hashlib.sha256(name.encode()).hexdigest()
    return structs.replace(manifest, members=[structs.replace(member, sha256=digest)])


def save_tiny_set(directory: Path, name: str, **changes: Any) -> FoundSet:
    """Save one."""
    manifest = tiny_manifest(name, **changes)
    return FoundSet(manifest, save_model_set(manifest, {"forest.onnx": name.encode()}, directory))


def found(name: str, **changes: Any) -> FoundSet:
    """Give one that lies nowhere."""
    return FoundSet(tiny_manifest(name, **changes), Path("nowhere") / name)


def said(name: str, decided_at_ns: int = 1, action: ModelAction = ModelAction.TRAINED, **changes: Any) -> ModelEvent:
    """Give the decision that a set serves."""
    manifest, folder = tiny_manifest(name), Path("nowhere") / name
    event = model_event(manifest, folder, action, "trainer", "because", decided_at_ns)
    return structs.replace(event, **changes)
