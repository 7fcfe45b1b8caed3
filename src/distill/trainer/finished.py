"""A finished model's folder, as a training reads it: to learn from what it says, or to begin with its weights."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

from corpus import sha256
from heads import HEADS
from model import load_tokenizer


class Finished(NamedTuple):
    graph: Path
    """In int8."""
    temperatures: list[float]
    """Of all heads: those of corpora have none of their own."""
    record: dict[str, str]
    """What run.json says of it."""


def read_finished(directory: Path, option: str) -> Finished:
    """Exits where it is no model folder, or has other heads than the trainer's."""
    path = directory / "manifest.json"
    if not path.exists():
        sys.exit(f"{option} {directory}: no model folder, since it has no manifest.json")
    manifest = json.loads(path.read_text())
    served = [("note", head["task"]) for head in manifest["heads"]]
    corpora = [(head["corpus"], head["type"]) for head in manifest["corpusHeads"]]
    if served + corpora != HEADS:
        sys.exit(f"{option} {directory}: its heads are not the trainer's")
    graph = directory / manifest["graphs"]["int8"]
    temperatures = [head["temperature"] for head in manifest["heads"]] + [1.0] * len(corpora)
    return Finished(graph, temperatures, {"name": manifest["name"], "version": manifest["version"], "graph": sha256(graph)})


def expect_vocabulary(directory: Path, option: str, tokenizer: Tokenizer) -> None:
    """Exits where the model does not read what `tokenizer` writes: each of its word pieces would be another one to it."""
    if load_tokenizer(directory).get_vocab(with_added_tokens=False) != tokenizer.get_vocab(with_added_tokens=False):
        sys.exit(f"{option} {directory}: its vocabulary is not the base's: name the --base that it was trained with")
