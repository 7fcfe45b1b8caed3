"""What a training starts from besides a base: the weights of a finished model, and fewer layers.

A finished model keeps no float32 weights, but its int8 graph has them to one part in 64 of each channel's largest, which is near
enough to go on from (the graph's own answers are made of no more).
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from corpus import sha256
from heads import HEADS
from model import Tagger

OF_TAGGER = "tagger."
PRODUCT = "/MatMul_quant"


def start_from(model: Tagger, directory: Path) -> dict[str, str]:
    """Puts the weights of a model folder into `model`, of the same shape. @returns the finished model's name, version and graph, for the record."""
    manifest = json.loads((directory / "manifest.json").read_text())
    served = [("note", head["task"]) for head in manifest["heads"]]
    if served + [(head["corpus"], head["type"]) for head in manifest["corpusHeads"]] != HEADS:
        sys.exit(f"--start {directory}: its heads are not the trainer's")
    path = directory / manifest["graphs"]["int8"]
    found, wanted = graph_weights(path), model.state_dict()
    if differing := sorted(name for name in {*found, *wanted} if shape_of(found, name) != shape_of(wanted, name)):
        sys.exit(f"--start {directory}: not of the base's shape, so far as {differing[0]} and {len(differing) - 1} others")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in found.items()})
    return {"name": manifest["name"], "version": manifest["version"], "graph": sha256(path)}


def shape_of(weights: dict, name: str) -> tuple[int, ...] | None:
    return tuple(weights[name].shape) if name in weights else None


def graph_weights(path: Path) -> dict[str, np.ndarray]:
    """Of an int8 graph as export.py writes it, under the trainer's names. A product's weight has no name of its own: its node tells it."""
    graph = onnx.load(str(path)).graph
    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    weights = {name: value for name, value in tensors.items() if value.dtype == np.float32 and name.startswith(OF_TAGGER)}
    weights |= {stem: whole(tensors, stem) for name in tensors if name.startswith(OF_TAGGER) and (stem := quantised(name))}
    for node in graph.node:
        if node.name.endswith(PRODUCT) and (stem := quantised(node.input[1])):
            module = node.name.removesuffix(PRODUCT).strip("/").replace("/", ".")
            weights[f"{module}.weight"] = whole(tensors, stem).T
    kept = {name.removeprefix(OF_TAGGER): value for name, value in weights.items()}
    return {name: value for name, value in kept.items() if not name.endswith("_scale")}


def quantised(name: str) -> str | None:
    return name.removesuffix("_quantized") if name.endswith("_quantized") else None


def whole(tensors: dict[str, np.ndarray], stem: str) -> np.ndarray:
    zero = tensors[f"{stem}_zero_point"].astype(np.float32)
    return (tensors[f"{stem}_quantized"].astype(np.float32) - zero) * tensors[f"{stem}_scale"]


def keep_layers(model: Tagger, layers: int) -> None:
    """So many of each encoder's layers, evenly spread from the first to the last, as DistilBERT began (Sanh et al., arXiv 1910.01108)."""
    for encoder in [model.encoder, *model.others]:
        there = len(encoder.encoder.layer)
        if not 0 < layers <= there:
            sys.exit(f"--layers {layers}: the base has {there}")
        chosen = [round(i * (there - 1) / max(1, layers - 1)) for i in range(layers)]
        encoder.encoder.layer = torch.nn.ModuleList(encoder.encoder.layer[i] for i in chosen)
        encoder.config.num_hidden_layers = layers
