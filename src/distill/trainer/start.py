"""What a training begins with besides a base: the weights of a finished model, and fewer layers.

A finished model keeps no float32 weights, but its int8 graph has them in seven bits or eight, which is near enough to go on from: its
own answers are made of no more.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from finished import expect_vocabulary, read_finished
from graph_weights import graph_weights
from model import Tagger


def begin(model: Tagger, tokenizer: Tokenizer, start: Path | None, layers: int | None) -> dict[str, dict | None]:
    """Changes `model`. @returns what the record says of it. Exits where the start is another kind of model than the base, or there
    are too few layers."""
    if start is None:
        return {"start": None, "layers": cut(model, layers)}
    graph, _, record = read_finished(start, "--start")
    expect_vocabulary(start, "--start", tokenizer)
    weights = graph_weights(graph)
    cut(model, min(layers_of(weights), depth(model)))  # a start may be a cut model itself
    load(model, weights, start)
    return {"start": record, "layers": cut(model, layers)}


def load(model: Tagger, weights: dict[str, np.ndarray], start: Path) -> None:
    found = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
    wanted = model.state_dict()
    shapes = {name: (found[name].shape if name in found else None, wanted[name].shape if name in wanted else None) for name in {*found, *wanted}}
    if differing := sorted(name for name, (own, theirs) in shapes.items() if own != theirs):
        sys.exit(
            f"--start {start}: {len(differing)} of its weights are not of the base's shape, such as {differing[0]}: "
            "name the --base and --encoders that it was trained with"
        )
    model.load_state_dict(found)


def layers_of(weights: dict[str, np.ndarray]) -> int:
    return len({name.split(".")[3] for name in weights if name.startswith("encoder.encoder.layer.")})


def depth(model: Tagger) -> int:
    return len(model.encoder.encoder.layer)


def cut(model: Tagger, layers: int | None) -> dict[str, int] | None:
    """Leaves so many of each encoder's layers, evenly spread from the first to the last, as DistilBERT began (Sanh et al., arXiv 1910.01108).
    @returns how many of how many; None where all are left."""
    there = depth(model)
    if layers is None or layers == there:
        return None
    if not 0 < layers < there:
        sys.exit(f"--layers {layers}: there are {there}")
    chosen = [round(i * (there - 1) / max(1, layers - 1)) for i in range(layers)]
    for encoder in [model.encoder, *model.others]:
        encoder.encoder.layer = torch.nn.ModuleList(encoder.encoder.layer[i] for i in chosen)
        encoder.config.num_hidden_layers = layers
    return {"kept": layers, "of": there}
