"""A model set that serves bars of a minute: two linear maps as real ONNX files."""

from pathlib import Path

import msgspec
from msgspec import structs

from predictor.artifacts import MANIFEST_FILE
from predictor.manifest import Manifest
from predictor.saving import model_event, save_model_set
from schemas.events import ModelAction, ModelEvent
from schemas.times import Interval
from tests.predictor.saved_sets import save_linear_set


def save_set(directory: Path, interval: Interval) -> ModelEvent:
    """Save a set for an interval, and give the event that announces it."""
    daily, _ = save_linear_set(directory / "daily")
    manifest = msgspec.json.decode((daily / MANIFEST_FILE).read_bytes(), type=Manifest)
    manifest = structs.replace(manifest, interval=interval)
    files = {member.file: (daily / member.file).read_bytes() for member in manifest.members}
    folder = save_model_set(manifest, files, directory)
    return model_event(manifest, folder, ModelAction.TRAINED, "test", "", 1)
