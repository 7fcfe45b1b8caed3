"""The float32 weights that an int8 graph of export.py holds, each times its scale, under the trainer's names."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

OF_TAGGER = "tagger."
PRODUCT = "/MatMul_quant"


def graph_weights(path: Path) -> dict[str, np.ndarray]:
    """`encoder.…` and `head.…`. A weight of a product has no name of its own there: the product's node tells it."""
    graph = onnx.load(str(path)).graph
    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    own = [name for name in tensors if name.startswith(OF_TAGGER) and not name.endswith(("_scale", "_zero_point"))]
    weights = {stem_of(name) or name: dequantised(tensors, name) for name in own}
    for node in graph.node:
        if node.name.endswith(PRODUCT) and stem_of(node.input[1]):
            module = node.name.removesuffix(PRODUCT).strip("/").replace("/", ".")
            weights[f"{module}.weight"] = dequantised(tensors, node.input[1]).T
    return {name.removeprefix(OF_TAGGER): value for name, value in weights.items()}


def stem_of(name: str) -> str | None:
    return name.removesuffix("_quantized") if name.endswith("_quantized") else None


def dequantised(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    stem = stem_of(name)
    if stem is None:
        return tensors[name]
    zero = tensors[f"{stem}_zero_point"].astype(np.float32)
    return (tensors[name].astype(np.float32) - zero) * tensors[f"{stem}_scale"]
