"""Weights between those that a run began with and those that it came to, which keep more of what the start knew than the run's own
(Wortsman et al., arXiv 2109.01903). The share is chosen on dev.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from finished import read_finished
from graph_weights import graph_weights
from model import Tagger


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", type=Path, help="the model folder that the run began with, for --keep-start")
    parser.add_argument("--keep-start", type=share, default=0.0, help="share of the start in every weight")


def share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError("from 0 to below 1")
    return value


def keep(tagger: Tagger, args: argparse.Namespace) -> None:
    """Changes `tagger`, which is of `args.run`. Exits where that run did not begin with all of `args.start`."""
    if args.keep_start == 0:
        return
    if args.out.resolve() == args.run.resolve():
        sys.exit("--keep-start: wants another --out than the run, whose record stays as it is")
    record = json.loads((args.run / "run.json").read_text())
    if args.start is None or record.get("start") is None:
        sys.exit(f"--keep-start: wants --start, and a run that began with one; {args.run} began with {record.get('start')}")
    if record.get("layers") is not None:
        sys.exit(f"--keep-start: {args.run} left out layers of its start")
    graph, _, found = read_finished(args.start, "--start")
    if found["graph"] != record["start"]["graph"]:
        sys.exit(f"--start {args.start}: {args.run} began with other weights")
    start = graph_weights(graph)
    with torch.no_grad():
        for name, weight in tagger.state_dict().items():
            weight.lerp_(torch.from_numpy(np.array(start[name])), args.keep_start)
