"""A small set on disk whose members are real ONNX files."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from msgspec import structs
from onnx import TensorProto, helper, numpy_helper

from predictor.saving import model_event, save_model_set
from schemas.events import Direction, ModelAction, ModelEvent
from schemas.features import MODEL_INPUT_NAMES, SEQUENCE_CHANNELS, SEQUENCE_STEPS
from tests.predictor.forecasters import HORIZONS, Momentum, a_set


def save_linear_set(directory: Path, *, now_ns: int = 1, name: str = "set-linear") -> tuple[Path, ModelEvent]:
    """Save a set of two linear maps named forest and lstm; give its folder and the event that announces it.

    Args:
        name: Of the set; the same maps in every set of a name, and others in each other.
    """
    shapes = {"forest": (len(MODEL_INPUT_NAMES),), "lstm": (SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))}
    files = {
        f"{member}.onnx": _linear(shape, [seed, *name.encode()]) for seed, (member, shape) in enumerate(shapes.items())
    }
    usual = [Direction.BULLISH for _ in HORIZONS]
    maps = [Momentum("forest", 0.0), Momentum("lstm", 0.0)]
    manifest = a_set(maps, [0.4, 0.6], name=name, usual_directions=usual).manifest
    members = [
        structs.replace(member, sha256=hashlib.sha256(files[member.file]).hexdigest()) for member in manifest.members
    ]
    manifest = structs.replace(manifest, members=members)
    folder = save_model_set(manifest, files, directory)
    return folder, model_event(manifest, folder, ModelAction.TRAINED, "test", "", now_ns)


def _linear(shape: tuple[int, ...], seed: list[int]) -> bytes:
    """Give an ONNX model that multiplies the flattened input with fixed weights."""
    size = int(np.prod(shape))
    weights = np.random.default_rng(seed).normal(size=(size, len(HORIZONS))).astype(np.float32) / 10
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "weights"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", len(HORIZONS)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
