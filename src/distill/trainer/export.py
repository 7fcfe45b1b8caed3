"""A trained checkpoint to ONNX: float32, and int8 by dynamic quantisation with one scale a channel.

`reduce_range` keeps weights to 7 bits, so that the 16-bit sums of AVX2's vpmaddubsw cannot saturate. Between a VNNI kernel and
an emulated Haswell the served logits then differ by .03 on average (.16 at full range); F1 on dev notes moves by less than .003.
Writes model.fp32.onnx, model.int8.onnx, tokenizer.json, heads.json, parity.json.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from checkpoint import CHECKPOINT, write_heads
from corpus import Reading, corpus_files
from heads import HEADS, NOTES, SERVED
from model import CLS, SEP, Tagger, load_tokenizer, untrained


class TwoOutputs(torch.nn.Module):
    """The served heads and the corpora's as outputs of their own."""

    def __init__(self, tagger: Tagger):
        super().__init__()
        self.tagger = tagger

    def forward(self, input_ids, attention_mask):
        logits = self.tagger(input_ids, attention_mask)
        return logits[..., : len(SERVED)], logits[..., len(SERVED) :]


def load(run: Path, weights: str) -> Tagger:
    path = run / CHECKPOINT
    if not path.exists():
        sys.exit(f"{path} does not exist: name the --out directory of train.py")
    state = torch.load(path, weights_only=True)
    if [tuple(each) for each in state["heads"]] != HEADS:
        sys.exit(f"{run}: the checkpoint has other heads than heads.py")
    recipe = json.loads((run / "run.json").read_text())["recipe"]
    tagger = Tagger(untrained(run), recipe.get("encoders", "shared"))
    tagger.load_state_dict(state["model"])
    if weights == "ema":
        tagger.load_state_dict(state["ema"], strict=False)
    return tagger.eval()


def export_float(tagger: Tagger, path: Path) -> None:
    example = torch.ones(2, 16, dtype=torch.long)
    axes = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        TwoOutputs(tagger),
        (example, example),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits", "corpus_logits"],
        dynamic_axes={name: axes for name in ("input_ids", "attention_mask", "logits", "corpus_logits")},
        opset_version=17,
        dynamo=False,
    )


def quantise(source: Path, target: Path, reduce_range: bool) -> None:
    """Graph fusions are left to the runtime's loader: fused before, the graph was no faster (see DECISIONS.md)."""
    quantize_dynamic(source, target, per_channel=True, reduce_range=reduce_range, weight_type=QuantType.QInt8)


def parity(tagger: Tagger, graph: Path, corpus: Path, tokenizer, documents: int = 40) -> dict:
    """How far int8 is from the trained model on the first windows of dev notes: logits of the served heads, and the
    share of pieces with the same decision at 0.5, by head."""
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    cls, sep = tokenizer.token_to_id(CLS), tokenizer.token_to_id(SEP)
    differences, agreements = [], []
    for document in Reading(tokenizer).documents(corpus_files(corpus)[NOTES], NOTES, "dev")[:documents]:
        ids = np.array([[cls, *document.ids[:254], sep]])
        mask = np.ones_like(ids)
        feeds = {"input_ids": ids, "attention_mask": mask}
        int8 = np.concatenate(session.run(["logits", "corpus_logits"], feeds), axis=-1)
        with torch.inference_mode():
            trained = tagger(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        differences.append(np.abs(int8 - trained)[0, 1:-1, : len(SERVED)])
        agreements.append(((int8 > 0) == (trained > 0))[0, 1:-1])
    if not differences:
        sys.exit(f"{corpus}: no dev notes to compare int8 on")
    difference, agreement = np.concatenate(differences), np.concatenate(agreements).mean(axis=0)
    shares = [round(float(share), 5) for share in agreement]
    return {
        "windows": len(differences),
        "pieces": len(difference),
        "meanAbsoluteLogitDifference": round(float(difference.mean()), 4),
        "maxAbsoluteLogitDifference": round(float(difference.max()), 3),
        "decisionAgreement": {task: shares[i] for i, (_, task) in enumerate(SERVED)},
        "corpusDecisionAgreement": {"/".join(HEADS[i]): shares[i] for i in range(len(SERVED), len(HEADS))},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="directory with checkpoint.pt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True, help="for the parity report on dev notes")
    parser.add_argument("--weights", choices=["raw", "ema"], default="ema")
    parser.add_argument("--reduce-range", action=argparse.BooleanOptionalAction, default=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tagger, tokenizer = load(args.run, args.weights), load_tokenizer(args.run)
    export_float(tagger, args.out / "model.fp32.onnx")
    quantise(args.out / "model.fp32.onnx", args.out / "model.int8.onnx", args.reduce_range)
    definition = json.loads(tokenizer.to_str())
    definition["added_tokens"], definition["post_processor"] = [], None
    (args.out / "tokenizer.json").write_text(json.dumps(definition, ensure_ascii=False, separators=(",", ":")))
    write_heads(args.out)
    if args.run.resolve() != args.out.resolve():
        shutil.copyfile(args.run / "run.json", args.out / "run.json")
    report = parity(tagger, args.out / "model.int8.onnx", args.corpus, tokenizer)
    (args.out / "parity.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"export: {json.dumps(report)}", file=sys.stderr)


if __name__ == "__main__":
    main()
