"""What a training starts from besides a base: the weights of a finished model, and fewer layers.

A finished model keeps no float32 weights, but its int8 graph has them to one part in 64 of each channel's largest, which is near
enough to go on from: its own answers are made of no more.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from corpus import sha256
from graph_weights import graph_weights
from heads import HEADS
from model import Tagger


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


def keep_layers(model: Tagger, layers: int) -> None:
    """So many of each encoder's layers, evenly spread from the first to the last, as DistilBERT began (Sanh et al., arXiv 1910.01108)."""
    for encoder in [model.encoder, *model.others]:
        there = len(encoder.encoder.layer)
        if not 0 < layers <= there:
            sys.exit(f"--layers {layers}: the base has {there}")
        chosen = [round(i * (there - 1) / max(1, layers - 1)) for i in range(layers)]
        encoder.encoder.layer = torch.nn.ModuleList(encoder.encoder.layer[i] for i in chosen)
        encoder.config.num_hidden_layers = layers
