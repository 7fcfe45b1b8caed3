"""Multi-task training of the tagger from a corpus directory. Resumes from its last checkpoint; a finished run is left alone.

Weights, optimiser and random state decide every step, so an interrupted run ends where an uninterrupted one would (on the same
device). Progress goes to stderr and, as rows, to metrics.jsonl.
"""

import argparse
import json
import os
import random
import re
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from checkpoint import expect_same, resume, save, write_base, write_final, write_run
from corpus import Document, Reading, Window, corpus_files, in_share, labelled_by, read_rows, sha256, unread
from heads import HEADS, NOTES, served_from
from model import CLS, MASK, MINILM, PAD, SEP, Tagger, base_directory, base_files, load_tokenizer, pretrained
from recipe import PRESETS, Recipe, rate_at, schedule
from shorthand import abbreviate, made_up_lines
from soft_labels import SoftTeachers, add_soft_labels, read_unlabelled
from start import begin
from word_scores import Counts, gold_words, piece_logits, word_means

CHECKPOINT_EVERY = 400
DEV_DOCUMENTS = {NOTES: 40, "ncbi_disease": 30}
"""A small dev subset to steer by; every figure of the card comes from the exported graph."""


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
                targets[i, 1 : n + 1, head] = np.maximum(part, 0)
                weights[i, 1 : n + 1, head] = (part >= 0) * weight
        return [torch.from_numpy(each) for each in (ids, attention, targets, weights)]


def optimizer_for(model: Tagger, recipe: Recipe) -> torch.optim.Optimizer:
    encoder = model.encoder_parameters()
    groups = [
        {"params": [p for p in encoder if p.dim() > 1], "weight_decay": recipe.weight_decay, "factor": 1.0},
        {"params": [p for p in encoder if p.dim() == 1], "weight_decay": 0.0, "factor": 1.0},
        {"params": list(model.head.parameters()), "weight_decay": recipe.weight_decay, "factor": recipe.head_factor},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)


def train(args: argparse.Namespace) -> None:
    changes = {"seed": args.seed, "steps_scale": args.steps_scale, "encoders": args.encoders}
    recipe = replace(PRESETS[args.preset], **{name: value for name, value in changes.items() if value is not None})
    torch.manual_seed(recipe.seed)
    np.random.seed(recipe.seed)
    torch.set_num_threads(args.threads)
    device = device_of(args.device)
    base = base_directory(args.base)
    tokenizer = load_tokenizer(base)
    model = Tagger(pretrained(base, recipe.dropout), recipe.encoders, recipe.dropout)
    begun = begin(model, tokenizer, args.start, args.layers)
    reading = Reading(tokenizer, args.labels, args.soft_labels)
    files = labelled_by(corpus_files(args.corpus), args.labels)
    teacher = SoftTeachers(args.soft_teachers, tokenizer) if args.soft_teachers else None
    read = [*files.values(), *args.unlabelled]
    data = hashes(read)
    bf16 = has_bfloat16(device) if args.bf16 is None else args.bf16
    run = {
        "preset": args.preset,
        "recipe": asdict(recipe),
        "base": args.base if "/" not in args.base else Path(args.base).name,
        "baseFiles": base_files(base),
        "labels": {"by": args.labels, "share": args.label_share, "soft": args.soft_labels},
        "softTeachers": teacher.names if teacher else [],
        "served": served_from(files, args.labels),
        "device": device.type,
        "bf16": bf16,
        "data": data,
        **begun,
        "encoder": model.shape(),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    expect_same(args.out, run)
    if args.labels != "teacher" and (unknown := unread(args.corpus)):
        print(f"train: nothing is learnt from {', '.join(unknown)}: no head reads such a corpus", file=sys.stderr, flush=True)
    documents = [d for name, path in files.items() for d in reading.documents(path, name, "train")]
    documents = [each for each in documents if in_share(each.id, args.label_share)]
    in_shorthand, lines = shorthand_of(files, recipe, reading, args.label_share)
    documents += lines
    dev = dev_documents(files, tokenizer, args.labels)
    if teacher:
        documents += read_unlabelled(args.unlabelled, args.corpus, tokenizer)
        documents = add_soft_labels(documents, teacher, args.out / "soft-labels", args.threads)
    batches = schedule(documents, in_shorthand, recipe)
    if not batches:
        sys.exit("nothing to train on: no train documents, or --steps-scale too small")
    steps = min(len(batches), args.max_steps or len(batches))
    if hashes(read) != data:
        sys.exit(f"{args.corpus} was changed while it was read: train again")
    model = model.to(device).train()
    optimizer = optimizer_for(model, recipe)
    average = {k: v.clone() for k, v in model.state_dict().items() if v.dtype.is_floating_point}
    first = resume(args.out, model, optimizer, average)
    if first > steps:
        sys.exit(f"{args.out} holds a run of {first} steps, and {steps} are asked for: name a new --out, or remove it")
    write_run(args.out, run | {"documents": len(documents), "steps": steps})
    write_base(args.out, model, tokenizer)
    end_torn_line(args.out / "metrics.jsonl")
    collate = Collator(tokenizer, recipe.masked)
    with (args.out / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
        began, tokens, loss_mean = time.monotonic(), 0, None
        for step in range(first, steps):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * group["factor"] * rate_at(step, len(batches), recipe)
            batch = [each.to(device) for each in collate(batches[step])]
            value = descend(model, optimizer, *batch, bf16)
            if step % 4 == 0:
                follow(average, model, min(recipe.ema, (step + 1) / (step + 20)) ** 4)
            tokens += int(batch[1].sum())
            loss_mean = value if loss_mean is None else 0.98 * loss_mean + 0.02 * value
            if step % 20 == 0:
                speed = tokens / (time.monotonic() - began)
                report(metrics, step=step, steps=steps, loss=round(loss_mean, 4), tokensPerSecond=round(speed))
            if step % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1:
                save(args.out, model, optimizer, average, step + 1)
                report(metrics, step=step + 1, devF1=dev_f1(model, dev, collate))
        if first < steps:
            if recipe.ema == 0:
                follow(average, model, 0.0)
            save(args.out, model, optimizer, average, steps)
            report(metrics, step=steps, devF1=dev_f1(model, dev, collate))
    write_final(args.out, model, average, tokenizer)
    print(f"train: done, {steps} steps in {args.out}", file=sys.stderr, flush=True)


def dev_documents(files: dict[str, Path], tokenizer: Tokenizer, labels: str) -> list[Document]:
    """Each entity counts whole, whatever its confidence: nobody is judged by that."""
    reading = Reading(tokenizer, labels)
    return [d for name, n in DEV_DOCUMENTS.items() if name in files for d in reading.documents(files[name], name, "dev")[:n]]


def shorthand_of(
    files: dict[str, Path], recipe: Recipe, reading: Reading, share: float
) -> tuple[dict[str, Document], list[Document]]:
    """Of the share of train notes that is learnt from: those that shorthand changes at all, by id; and lines made up of their mentions.
    The notes in shorthand get no soft labels."""
    if recipe.shorthand == 0 or NOTES not in files:
        return {}, []
    rng = random.Random(recipe.seed)
    rows = [row for row in read_rows(files[NOTES], NOTES) if row["split"] == "train" and in_share(row["id"], share)]
    shortened = [(row, abbreviate(row, rng)) for row in rows]
    changed = {row["id"]: reading.document(short, NOTES) for row, short in shortened if short["text"] != row["text"]}
    made_up = made_up_lines(rows, rng, len(rows) // 3)
    return changed, [reading.document(row, NOTES) for row in made_up]


def hashes(paths: list[Path]) -> list[dict[str, str]]:
    return [{"file": f"{path.parent.name}/{path.name}", "sha256": sha256(path)} for path in paths]


def end_torn_line(path: Path) -> None:
    """Takes off what a full disk left of a row."""
    if path.exists() and not (text := path.read_text(encoding="utf-8")).endswith("\n"):
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")


def device_of(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda: this machine's PyTorch sees no CUDA device")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies matrices of bfloat16 itself. One that imitates it trains several times slower than in float32, and
    AVX-512's products of vectors without AMX are no help: .55 of float32's tokens/s on an Intel Xeon."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        return re.search(r"\b(amx_bf16|bf16)\b", Path("/proc/cpuinfo").read_text()) is not None
    except OSError:
        return False


def descend(model: Tagger, optimizer: torch.optim.Optimizer, ids, attention, targets, weights, bf16: bool) -> float:
    """One step. @returns the loss: weighted binary cross-entropy, summed over heads, a token."""
    with torch.autocast(ids.device.type, dtype=torch.bfloat16, enabled=bf16):
        logits = model(ids, attention)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), targets, weights, reduction="sum")
    loss = loss / attention.sum()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


@torch.no_grad()
def follow(average: dict[str, torch.Tensor], model: Tagger, keep: float) -> None:
    for name, value in model.state_dict().items():
        if name in average:
            # a step of the whole way would be rounded
            average[name].lerp_(value, 1 - keep) if keep > 0 else average[name].copy_(value)


@torch.no_grad()
def dev_f1(model: Tagger, documents: list[Document], collate: Collator) -> dict[str, float]:
    """Word-level F1 at 0.5 of every head on the corpora that label it, raw weights."""
    device = next(model.parameters()).device
    model.eval()

    def run(ids: np.ndarray) -> np.ndarray:
        tensor = torch.from_numpy(ids).to(device)
        return model(tensor, torch.ones_like(tensor)).cpu().numpy()

    counts: dict[str, Counts] = {}
    for document in documents:
        means = word_means(document.words, piece_logits(document, run, collate.cls, collate.sep, len(HEADS)))
        for head, (labels, _) in document.labels.items():
            wanted, counted = gold_words(document.words, [labels])
            name = f"{document.corpus}:{'/'.join(HEADS[head])}"
            counts.setdefault(name, Counts()).add((means[:, head] > 0)[counted], wanted[counted])
    model.train()
    return {name: round(count.f1, 4) for name, count in counts.items()}


def report(metrics, **facts: object) -> None:
    metrics.write(json.dumps(facts) + "\n")
    metrics.flush()
    print("train: " + ", ".join(f"{name} {value}" for name, value in facts.items()), file=sys.stderr, flush=True)


def positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def share(text: str) -> float:
    value = positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError("must be at most 1")
    return value


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="directory with teacher/notes.jsonl and gold/NAME.jsonl of the human corpora in heads.py")
    parser.add_argument("--out", type=Path, required=True, help="run directory; an unfinished run in it is resumed")
    parser.add_argument("--base", default=MINILM, help="minilm, a directory, or a model on Hugging Face's hub")
    parser.add_argument("--start", type=Path, help="a model folder of the base's shape, whose weights to begin with")
    parser.add_argument("--layers", type=int, help="so many of the base's layers, evenly spread: a faster model")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="notes")
    parser.add_argument("--encoders", choices=["shared", "task"], help="instead of the preset's")
    parser.add_argument("--labels", choices=["human", "teacher", "both"], default="both", help="of the human corpora, of teacher/notes.jsonl, or both")
    parser.add_argument("--label-share", type=share, default=1.0, help="share of the labelled documents, chosen by their ids")
    parser.add_argument("--soft-labels", action="store_true", help="an entity's confidence is its label, not 1")
    parser.add_argument("--soft-teachers", type=Path, nargs="*", default=[], help="model folders whose mean probabilities label what nobody has")
    parser.add_argument("--unlabelled", type=Path, nargs="*", default=[], help=".jsonl[.gz] of {id, text}; needs --soft-teachers")
    parser.add_argument("--steps-scale", type=positive, help="length of the run as a multiple of the preset's")
    parser.add_argument("--max-steps", type=int, help="stop early: for a smoke test")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, help="bfloat16 products, float32 weights (default: where the processor has them)")
    args = parser.parse_args()
    if args.unlabelled and not args.soft_teachers:
        parser.error("--unlabelled needs --soft-teachers: without it nothing labels the text")
    return args


if __name__ == "__main__":
    train(arguments())
