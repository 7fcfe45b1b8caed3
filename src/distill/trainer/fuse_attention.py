"""Attention of an exported graph as one operator a layer.

The exporter writes it as some twenty nodes, and onnxruntime's loader leaves them so. `com.microsoft.MultiHeadAttention` computes the
same without transposing its inputs and, where nothing is padded, without a mask: the graph looks at the least of `attention_mask`
and takes the one way or the other. Linear layers and weights are not touched, so that a quantised graph may be given too.
"""

from collections import defaultdict

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft"


def fuse_attention(model: ModelProto, heads: int) -> int:
    """In place. `heads` of each layer. Returns how many layers were rewritten: those of the shape that BERT's "eager" attention is
    exported in; any other stays."""
    graph = model.graph
    layers = [each for node in graph.node if node.op_type == "Softmax" and (each := attention_of(graph, node))]
    if not layers:
        return 0
    for inputs, scale, last in layers:
        output = last.output[0]
        last.output[0] = f"{output}_unfused"
        graph.node.insert(list(graph.node).index(last), either_way(inputs, scale, heads, output))
    for at, node in enumerate(mask_nodes()):
        graph.node.insert(at, node)
    remove_unused(graph)
    if all(each.domain != DOMAIN for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    onnx.checker.check_model(model)
    return len(layers)


def attention_of(graph: GraphProto, softmax: NodeProto) -> tuple[list[str], float, NodeProto] | None:
    """Names of query, key and value [batch, sequence, width], the scale of their products, and the node that ends it:
    Reshape(Transpose(MatMul(Softmax(Add(Mul(MatMul(q, k), scale), mask)), v))), with q, k and v each behind a Reshape and a Transpose."""
    made = {name: node for node in graph.node for name in node.output}
    read = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            read[name].append(node)

    def before(node: NodeProto | None, at: int, kind: str) -> NodeProto | None:
        found = made.get(node.input[at]) if node else None
        return found if found and found.op_type == kind else None

    def after(node: NodeProto | None, kind: str) -> NodeProto | None:
        readers = read[node.output[0]] if node else []
        return readers[0] if len(readers) == 1 and readers[0].op_type == kind else None

    def source(product: NodeProto | None, at: int) -> str | None:
        reshape = before(before(product, at, "Transpose"), 0, "Reshape")
        return reshape.input[0] if reshape else None

    scaled = before(before(softmax, 0, "Add"), 0, "Mul")
    scores, weighted = before(scaled, 0, "MatMul"), after(softmax, "MatMul")
    last = after(after(weighted, "Transpose"), "Reshape")
    inputs = [source(scores, 0), source(scores, 1), source(weighted, 1)]
    scale = constant(graph, made, scaled.input[1]) if scaled else None
    if last is None or scale is None or None in inputs:
        return None
    return inputs, scale, last


def constant(graph: GraphProto, made: dict[str, NodeProto], name: str) -> float | None:
    """The number of that name, where it is one."""
    node = made.get(name)
    tensors = [each for each in graph.initializer if each.name == name]
    if node is not None and node.op_type == "Constant":
        tensors = [each.t for each in node.attribute if each.name == "value"]
    values = [numpy_helper.to_array(each) for each in tensors]
    return float(values[0].item()) if values and values[0].size == 1 else None


def either_way(inputs: list[str], scale: float, heads: int, output: str) -> NodeProto:
    def branch(name: str, mask: list[str]) -> GraphProto:
        result = f"{output}_{name}"
        fused = helper.make_node(
            "MultiHeadAttention", inputs + mask, [result], name=result, domain=DOMAIN, num_heads=heads, scale=scale
        )
        return helper.make_graph([fused], result, [], [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)])

    whole, padded = branch("whole", []), branch("padded", ["", "attention_mask_int32"])
    return helper.make_node("If", ["nothing_padded"], [output], then_branch=whole, else_branch=padded)


def mask_nodes() -> list[NodeProto]:
    return [
        helper.make_node("Cast", ["attention_mask"], ["attention_mask_int32"], to=TensorProto.INT32),
        helper.make_node("ReduceMin", ["attention_mask_int32"], ["least_mask"], keepdims=0),
        helper.make_node("Cast", ["least_mask"], ["nothing_padded"], to=TensorProto.BOOL),
    ]


def remove_unused(graph: GraphProto) -> None:
    while True:
        used = {each.name for each in graph.output} | set(names_read(graph))
        unused = [node for node in graph.node if used.isdisjoint(node.output)]
        if not unused:
            break
        for node in unused:
            graph.node.remove(node)
    for each in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(each)


def names_read(graph: GraphProto) -> list[str]:
    """By its nodes, and by those of the graphs in them."""
    inner = [each.g for node in graph.node for each in node.attribute if each.type == onnx.AttributeProto.GRAPH]
    return [name for node in graph.node for name in node.input] + [name for each in inner for name in names_read(each)]
