"""What the Python rivals have in common: options, a warm-up, and the clock around the work.

In: JSON Lines of {id, text}. Out: a row {id, spans: [[task, start, end], …]} a note, then a row {seconds, versions}. The seconds run from
the first line read to the last row written: reading, tokenizing, the model, spans, writing; not start-up, loading or warm-up.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

Note = dict[str, Any]
Tag = Callable[[Iterable[Note]], Iterator[dict]]
"""Notes to rows, in order; reads ahead as far as it batches."""

WARM_UP = 8
"""Notes read before the clock starts."""


def options(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--notes", type=Path, required=True, help="JSON Lines of {id, text}")
    parser.add_argument("--model", type=Path, required=True, help="folder with manifest.json")
    parser.add_argument("--threads", type=int, required=True, help="of the model's operators")
    return parser


def serve(notes: Path, tag: Tag, packages: list[str]) -> None:
    for _ in tag(islice(read(notes), WARM_UP)):
        pass
    began = time.perf_counter()
    for row in tag(read(notes)):
        print(json.dumps(row))
    sys.stdout.flush()
    seconds = time.perf_counter() - began
    versions = {"python": sys.version.split()[0]} | {name: importlib.metadata.version(name) for name in packages}
    print(json.dumps({"seconds": seconds, "versions": versions}))


def read(notes: Path) -> Iterator[Note]:
    with notes.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
