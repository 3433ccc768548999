"""The same ONNX model in the same bytes, whichever process exported it."""

import onnx


def canonical_bytes(model: onnx.ModelProto) -> bytes:
    """Give the model's bytes with inner names by order of appearance; its input and outputs keep theirs.

    tf2onnx merges equal constants in the order of a set, so that their names change from run to run. Its remarks and
    the names of open dimensions count what the process has traced before.
    """
    graph = model.graph
    kept = {each.name for each in (*graph.input, *graph.output)} | {""}
    names: dict[str, str] = {}

    def renamed(name: str) -> str:
        return name if name in kept else names.setdefault(name, f"t{len(names)}")

    for number, node in enumerate(graph.node):
        node.name = f"n{number}"
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
    for initializer in graph.initializer:
        initializer.name = renamed(initializer.name)
    graph.initializer.sort(key=lambda each: int(each.name[1:]))
    del graph.value_info[:]
    graph.doc_string = ""
    for value in (*graph.input, *graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.HasField("dim_param"):
                dimension.dim_param = "n"
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
