"""The same model is the same file."""

import random

import onnx
import pytest

from predictor.training.canonical import canonical_bytes
from predictor.training.fitting import FittedModel

pytestmark = pytest.mark.xdist_group("fitted")


def with_other_names(content: bytes, chance: random.Random) -> onnx.ModelProto:
    """Give the same model with other inner names, its constants in another order."""
    model = onnx.ModelProto.FromString(content)
    graph = model.graph
    outer = {each.name for each in (*graph.input, *graph.output)} | {""}
    inner = {name for node in graph.node for name in (*node.input, *node.output)} - outer
    other = {name: f"x{chance.random()}" for name in sorted(inner)}
    for node in graph.node:
        node.name = f"y{chance.random()}"
        node.input[:] = [other.get(name, name) for name in node.input]
        node.output[:] = [other.get(name, name) for name in node.output]
    for initializer in graph.initializer:
        initializer.name = other[initializer.name]
    graph.initializer.sort(key=lambda _: chance.random())
    return model


def test_names_that_change_from_run_to_run_do_not_change_the_file(
    fitted: dict[str, FittedModel], rng: random.Random
) -> None:
    content = fitted["lstm"].export()
    other = with_other_names(content, rng)
    assert other.SerializeToString() != content
    assert canonical_bytes(other) == content


def test_another_weight_changes_the_file(fitted: dict[str, FittedModel]) -> None:
    content = fitted["lstm"].export()
    model = onnx.ModelProto.FromString(content)
    weights = max(model.graph.initializer, key=lambda each: len(each.raw_data))
    weights.raw_data = bytes([weights.raw_data[0] ^ 1]) + weights.raw_data[1:]
    assert canonical_bytes(model) != content
