"""A finished model's folder, as a training reads it: to learn from what it says, or to begin with its weights."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from corpus import sha256
from heads import HEADS


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
