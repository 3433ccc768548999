"""XGBoost's trees as one ONNX node, for all horizons at once."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import onnx
from onnx import TensorProto, helper

#: Of this kind: a child that is not there.
_NOWHERE = -1
_IR_VERSION = 9
_OPSETS = {"": 18, "ai.onnx.ml": 3}
_NODE_COLUMNS = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_modes",
    "nodes_featureids",
    "nodes_values",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_missing_value_tracks_true",
)
_LEAF_COLUMNS = ("target_treeids", "target_nodeids", "target_ids", "target_weights")

Tree = Mapping[str, Any]


def export_trees(saved: bytes, inputs: int) -> bytes:
    """Turn a booster as `save_raw("json")` gives it into the content of an ONNX file, (n, inputs) to (n, targets).

    One tree a target and round, as XGBoost makes them by default. It goes left where a value is below the split's;
    ONNX calls that `BRANCH_LT`, so the thresholds are the same numbers. A leaf's value stands among the thresholds.
    (`doc/model.schema` in XGBoost's sources; TreeEnsembleRegressor-3 in ONNX's operators.)
    """
    learner = json.loads(saved)["learner"]
    parameters, booster = learner["learner_model_param"], learner["gradient_booster"]["model"]
    targets = int(parameters["num_target"])
    columns: dict[str, list[Any]] = {name: [] for name in (*_NODE_COLUMNS, *_LEAF_COLUMNS)}
    for number, (tree, target) in enumerate(zip(booster["trees"], booster["tree_info"], strict=True)):
        _add_tree(columns, number, tree, target)
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["model_inputs"],
        ["targets"],
        domain="ai.onnx.ml",
        n_targets=targets,
        base_values=_base_values(parameters["base_score"], targets),
        post_transform="NONE",
        **columns,
    )
    return _model_of(node, inputs, targets)


def _add_tree(columns: dict[str, list[Any]], number: int, tree: Tree, target: int) -> None:
    """Add the nodes that its root leads to; pruned ones stay in XGBoost's lists, and ONNX would take them for roots."""
    for node in _reached(tree):
        left, right = tree["left_children"][node], tree["right_children"][node]
        value = tree["split_conditions"][node]
        if left == _NOWHERE:
            _append(columns, _NODE_COLUMNS, (number, node, "LEAF", 0, 0.0, 0, 0, 0))
            _append(columns, _LEAF_COLUMNS, (number, node, target, value))
        else:
            feature, missing_left = tree["split_indices"][node], int(tree["default_left"][node])
            _append(columns, _NODE_COLUMNS, (number, node, "BRANCH_LT", feature, value, left, right, missing_left))


def _reached(tree: Tree) -> Iterator[int]:
    waiting = [0]
    while waiting:
        node = waiting.pop()
        yield node
        if tree["left_children"][node] != _NOWHERE:
            waiting += (tree["right_children"][node], tree["left_children"][node])


def _append(columns: dict[str, list[Any]], names: tuple[str, ...], values: tuple[Any, ...]) -> None:
    for name, value in zip(names, values, strict=True):
        columns[name].append(value)


def _base_values(text: str, targets: int) -> list[float]:
    """Read what every sum begins with: one number, or one a target."""
    given = json.loads(text)
    values = [float(value) for value in (given if isinstance(given, list) else [given])]
    return values * targets if len(values) == 1 else values


def _model_of(node: onnx.NodeProto, inputs: int, targets: int) -> bytes:
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("model_inputs", TensorProto.FLOAT, [None, inputs])],
        [helper.make_tensor_value_info("targets", TensorProto.FLOAT, [None, targets])],
    )
    opsets = [helper.make_opsetid(domain, number) for domain, number in _OPSETS.items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
