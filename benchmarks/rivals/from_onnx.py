"""The shipped int8 graph as an ordinary transformers checkpoint, for rivals that want one: the weights that the graph holds, times
their scales, in a BertForTokenClassification of the served heads. Its arithmetic is the graph's but for the activations, which the
graph rounds to 8 bits and PyTorch does not; so logits are compared with the graph's own on windows of notes, and a checkpoint that is
further off than TOLERANCE is refused.

Writes config.json, model.safetensors, the tokenizer, onnx/model_int8.onnx (a copy of the graph, where transformers.js looks for it),
and last parity.json.
"""

import argparse
import json
import os
import shutil
import sys
from itertools import islice
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast
from transformers.utils import logging

from note_spans import Reading, read_manifest

sys.path.append(str(Path(__file__).resolve().parents[2] / "src" / "distill" / "trainer"))
from graph_weights import graph_weights

TOLERANCE = {"meanAbsoluteLogitDifference": 0.15, "differingDecisions": 0.005}
"""Of served logits, mean over pieces and heads; share of pieces and heads on the other side of 0."""
NOTES = 16
"""Whose first windows are compared."""
HEAD_WIDTH = 32
"""Of one attention head. No weight says it; with another, the logits would be far off."""


def build(graph: Path, reading: Reading) -> BertForTokenClassification:
    """Strict: weights that are not exactly a BERT's are refused."""
    weights = graph_weights(graph)
    if others := [name for name in weights if not name.startswith(("encoder.", "head."))]:
        sys.exit(f"{graph}: {others[0]} and its like belong to no BERT with one head")
    state = {name.removeprefix("encoder."): value for name, value in weights.items() if name.startswith("encoder.")}
    served = len(reading.tasks)
    words, width = state["embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layer.")),
        num_attention_heads=width // HEAD_WIDTH,
        intermediate_size=state["encoder.layer.0.intermediate.dense.weight"].shape[0],
        max_position_embeddings=state["embeddings.position_embeddings.weight"].shape[0],
        pad_token_id=reading.pad,
        id2label=dict(enumerate(reading.tasks)),
        label2id={task: number for number, task in enumerate(reading.tasks)},
    )
    model = BertForTokenClassification(config).eval()
    own = {f"bert.{name}": value for name, value in state.items()}
    own |= {f"classifier.{each}": weights[f"head.{each}"][:served] for each in ("weight", "bias")}
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in own.items()})
    return model


def fast_tokenizer(path: Path, reading: Reading) -> PreTrainedTokenizerFast:
    """The model's own, with the special tokens that its manifest leaves to the caller."""
    tokenizer = Tokenizer.from_file(str(path))
    special = [("[CLS]", reading.cls), ("[SEP]", reading.sep)]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=reading.window + 2, **names)


def parity(model: BertForTokenClassification, graph: Path, rows: list[list[int]]) -> dict[str, float]:
    """Of a graph's and a model's served logits on rows of input ids, each alone."""
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    differences, flips = [], []
    for row in rows:
        ids = np.array([row], np.int64)
        (wanted,) = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        with torch.inference_mode():
            found = model(input_ids=torch.from_numpy(ids), attention_mask=torch.ones(ids.shape, dtype=torch.long)).logits.numpy()
        differences.append(np.abs(found - wanted)[0, 1:-1])
        flips.append(((found > 0) != (wanted > 0))[0, 1:-1])
    difference, flipped = np.concatenate(differences), np.concatenate(flips)
    return {
        "pieces": len(difference),
        "meanAbsoluteLogitDifference": round(float(difference.mean()), 4),
        "maxAbsoluteLogitDifference": round(float(difference.max()), 3),
        "differingDecisions": round(float(flipped.mean()), 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with manifest.json and model.int8.onnx")
    parser.add_argument("--notes", type=Path, required=True, help="JSON Lines with a text, to compare logits on")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    logging.disable_progress_bar()
    reading, graph = read_manifest(args.model), args.model / "model.int8.onnx"
    model = build(graph, reading)
    tokenizer = fast_tokenizer(args.model / "tokenizer.json", reading)
    with args.notes.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, NOTES)]
    found = parity(model, graph, tokenizer(texts, truncation=True)["input_ids"])
    worse = [f"{name} {found[name]} > {limit}" for name, limit in TOLERANCE.items() if not found[name] <= limit]
    if worse:
        sys.exit(f"the checkpoint is not the graph: {', '.join(worse)}")
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    (args.out / "onnx").mkdir(exist_ok=True)
    shutil.copyfile(graph, args.out / "onnx" / "model_int8.onnx")
    (args.out / "parity.json").write_text(json.dumps(found | {"tolerance": TOLERANCE}, indent=2) + "\n")


if __name__ == "__main__":
    main()
