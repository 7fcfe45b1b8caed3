"""Multi-task training of the tagger from a corpus directory. Resumes from its last checkpoint; a finished run is left alone.

The plan is a list of phases (share of notes, share of gold, epochs): the teacher's notes are seen throughout, the human
corpora fade from all to a quarter, so that what ships is tuned for notes without forgetting the literature.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from corpus import Document, Window, corpus_files, cut_windows, pack, read_documents, sha256
from heads import HEADS, NOTES
from model import CLS, MASK, PAD, SEP, Tagger, base_directory, load_tokenizer

CHECKPOINT_EVERY = 400


@dataclass(frozen=True)
class Recipe:
    phases: tuple[tuple[float, float, int], ...] = ((1.0, 1.0, 2), (1.0, 0.5, 1), (1.0, 0.25, 3))
    """(share of the notes, share of the gold documents, epochs)."""
    learning_rate: float = 1.5e-4
    head_factor: float = 6.0
    warm_up: float = 0.06
    floor: float = 0.02
    weight_decay: float = 0.01
    batch_tokens: int = 2560
    masked: float = 0.06
    ema: float = 0.998
    seed: int = 13


def schedule(documents: list[Document], recipe: Recipe) -> list[list[Window]]:
    rng = random.Random(recipe.seed)
    notes = [each for each in documents if each.corpus == NOTES]
    gold = [each for each in documents if each.corpus != NOTES]
    batches: list[list[Window]] = []
    for note_share, gold_share, epochs in recipe.phases:
        for _ in range(epochs):
            windows = [w for each in notes if rng.random() < note_share for w in cut_windows(each, rng)]
            windows += [w for each in gold if rng.random() < gold_share for w in cut_windows(each, rng)]
            batches += pack(windows, recipe.batch_tokens, rng)
    return batches


class Collator:
    """Windows to (input_ids [b, n], attention_mask [b, n], targets [b, n, heads], weights [b, n, heads])."""

    def __init__(self, tokenizer, masked: float):
        self.cls, self.sep, self.pad, self.mask = (tokenizer.token_to_id(each) for each in (CLS, SEP, PAD, MASK))
        self.masked = masked

    def __call__(self, batch: list[Window]) -> list[torch.Tensor]:
        rows, columns = len(batch), max(map(len, batch)) + 2
        ids = np.full((rows, columns), self.pad, np.int64)
        attention = np.zeros((rows, columns), np.int64)
        targets = np.zeros((rows, columns, len(HEADS)), np.float32)
        weights = np.zeros((rows, columns, len(HEADS)), np.float32)
        for i, window in enumerate(batch):
            n = len(window)
            pieces = window.document.ids[window.start : window.end].copy()
            pieces[np.random.rand(n) < self.masked] = self.mask
            ids[i, 0], ids[i, 1 : n + 1], ids[i, n + 1] = self.cls, pieces, self.sep
            attention[i, : n + 2] = 1
            for head, (labels, weight) in window.document.labels.items():
                part = labels[window.start : window.end]
                targets[i, 1 : n + 1, head] = part == 1
                weights[i, 1 : n + 1, head] = (part >= 0) * weight
        return [torch.from_numpy(each) for each in (ids, attention, targets, weights)]


def optimizer_for(model: Tagger, recipe: Recipe) -> torch.optim.Optimizer:
    encoder = [p for p in model.encoder.parameters()]
    groups = [
        {"params": [p for p in encoder if p.dim() > 1], "weight_decay": recipe.weight_decay, "factor": 1.0},
        {"params": [p for p in encoder if p.dim() == 1], "weight_decay": 0.0, "factor": 1.0},
        {"params": list(model.head.parameters()), "weight_decay": recipe.weight_decay, "factor": recipe.head_factor},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """Share of the learning rate: linear warm-up, then linear to the floor."""
    warm = recipe.warm_up * steps
    if step < warm:
        return min(1.0, (step + 1) / warm)
    return recipe.floor + (1 - recipe.floor) * (1 - (step - warm) / (steps - warm))


def train(args: argparse.Namespace) -> None:
    recipe = Recipe(seed=args.seed)
    torch.manual_seed(recipe.seed)
    np.random.seed(recipe.seed)
    torch.set_num_threads(args.threads)
    base = base_directory(args.base)
    tokenizer = load_tokenizer(base)
    files = corpus_files(args.corpus)
    documents = [d for name, path in files.items() for d in read_documents(path, name, "train", tokenizer)]
    batches = schedule(documents, recipe)
    steps = min(len(batches), args.max_steps or len(batches))
    model = Tagger(base)
    optimizer = optimizer_for(model, recipe)
    average = {k: v.clone() for k, v in model.state_dict().items() if v.dtype.is_floating_point}
    first = resume(args.out, model, optimizer, average)
    args.out.mkdir(parents=True, exist_ok=True)
    write_run(args, recipe, files, steps)
    collate = Collator(tokenizer, recipe.masked)
    began, tokens, loss_mean = time.monotonic(), 0, None
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * group["factor"] * rate_at(step, len(batches), recipe)
        ids, attention, targets, weights = collate(batches[step])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
            logits = model(ids, attention)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), targets, weights, reduction="sum")
        loss = loss / attention.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 4 == 0:
            follow(average, model, min(recipe.ema, (step + 1) / (step + 20)) ** 4)
        tokens += int(attention.sum())
        value = loss.item()
        loss_mean = value if loss_mean is None else 0.98 * loss_mean + 0.02 * value
        if step % 20 == 0:
            speed = tokens / (time.monotonic() - began)
            print(f"train: step {step}/{steps}, loss {loss_mean:.4f}, {speed:.0f} tokens/s", file=sys.stderr, flush=True)
        if step % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1:
            save(args.out, model, optimizer, average, step + 1)
    save(args.out, model, optimizer, average, steps)


@torch.no_grad()
def follow(average: dict[str, torch.Tensor], model: Tagger, keep: float) -> None:
    for name, value in model.state_dict().items():
        if name in average:
            average[name].lerp_(value, 1 - keep)


def save(out: Path, model: Tagger, optimizer, average: dict, step: int) -> None:
    state = {"step": step, "model": model.state_dict(), "ema": average, "optimizer": optimizer.state_dict(), "heads": HEADS}
    torch.save(state, out / "checkpoint.tmp")
    os.replace(out / "checkpoint.tmp", out / "checkpoint.pt")


def resume(out: Path, model: Tagger, optimizer, average: dict) -> int:
    path = out / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    average.update(state["ema"])
    print(f"train: resuming at step {state['step']}", file=sys.stderr)
    return state["step"]


def write_run(args: argparse.Namespace, recipe: Recipe, files: dict[str, Path], steps: int) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    run = {
        "recipe": asdict(recipe),
        "steps": steps,
        "bf16": args.bf16,
        "data": [{"file": f"{p.parent.name}/{p.name}", "sha256": sha256(p)} for p in files.values()],
        "commit": commit or None,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    (args.out / "run.json").write_text(json.dumps(run, indent=2) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="directory with gold/*.jsonl and teacher/notes.jsonl")
    parser.add_argument("--out", type=Path, required=True, help="run directory; an unfinished run in it is resumed")
    parser.add_argument("--base", help="directory of a BERT model to start from (default: 6-layer MiniLM from PyPI)")
    parser.add_argument("--max-steps", type=int, help="stop early: for a smoke test")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="bfloat16 products; float32 weights")
    return parser.parse_args()


if __name__ == "__main__":
    train(arguments())
