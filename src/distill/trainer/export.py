"""A trained checkpoint to ONNX in the precisions asked for: float32, float16, and int8 by dynamic quantisation with one scale
a channel and attention fused. Each is compared with the trained model, and all are timed on the same windows of dev notes in one run.

`reduce_range` keeps weights to 7 bits, so that the 16-bit sums of AVX2's vpmaddubsw cannot saturate. Between a VNNI kernel and
an emulated Haswell the served logits then differ by .03 on average (.16 at full range); F1 on dev notes moves by less than .003.
float16 is for a GPU: a CPU computes it by casting. Inputs stay int64 and outputs float32, so that callers see one graph.
Writes model.PRECISION.onnx for each, tokenizer.json, heads.json, run.json, export.json (of all of them: files with hashes, parity,
speed), and parity.json (of int8, where it was asked for). A graph appears whole, and export.json last: it names what belongs together.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from checkpoint import CHECKPOINT, record_of, write_heads
from corpus import Reading, corpus_files, sha256
from fuse_attention import fuse_attention
from heads import HEADS, NOTES, SERVED
from keep_start import add_options, keep
from model import CLS, SEP, Tagger, load_tokenizer, untrained

PRECISIONS = ("fp32", "fp16", "int8")
ROUNDS = 5


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
    state = torch.load(path, weights_only=True, map_location="cpu")
    if [tuple(each) for each in state["heads"]] != HEADS:
        sys.exit(f"{run}: the checkpoint has other heads than heads.py")
    record = record_of(run)
    if state["step"] < record["steps"]:
        sys.exit(f"{run}: {state['step']} of {record['steps']} steps are done: run the training again, which goes on there")
    tagger = Tagger(untrained(run), record["recipe"].get("encoders", "shared"))
    tagger.load_state_dict(state["model"])
    if weights == "ema":
        tagger.load_state_dict(state["ema"], strict=False)
    return tagger.eval()


def export_float(tagger: Tagger, path: Path) -> None:
    example = torch.ones(2, 16, dtype=torch.long)
    axes = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        TwoOutputs(tagger).eval(),  # the exporter puts back the mode that it found, in every module
        (example, example),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits", "corpus_logits"],
        dynamic_axes={name: axes for name in ("input_ids", "attention_mask", "logits", "corpus_logits")},
        opset_version=17,
        dynamo=False,
    )


def quantise(source: Path, target: Path, heads: int, reduce_range: bool) -> None:
    """The runtime's loader fuses all but attention, which is fused here. `heads` of each layer."""
    quantize_dynamic(source, target, per_channel=True, reduce_range=reduce_range, weight_type=QuantType.QInt8)
    graph = onnx.load(str(target))
    layers = fuse_attention(graph, heads)
    onnx.save(graph, str(target))
    print(f"export: attention of {layers} layers is one operator each", file=sys.stderr, flush=True)


def halve(source: Path, target: Path) -> None:
    """Weights and arithmetic in float16. Numbers beyond its range become its largest: the mask's, which stay as good as infinite."""
    onnx.save(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True), str(target))


def first_windows(corpus: Path, tokenizer, documents: int) -> list[np.ndarray]:
    """input_ids [1, pieces] of the first window of dev notes."""
    cls, sep = tokenizer.token_to_id(CLS), tokenizer.token_to_id(SEP)
    notes = Reading(tokenizer).documents(corpus_files(corpus)[NOTES], NOTES, "dev")[:documents]
    if not notes:
        sys.exit(f"{corpus}: no dev notes to compare graphs on")
    return [np.array([[cls, *each.ids[:254], sep]]) for each in notes]


def open_session(graph: Path) -> onnxruntime.InferenceSession:
    """One thread, as one worker of the product has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, ids: np.ndarray) -> np.ndarray:
    """Logits [1, pieces, heads] of every head in the order of HEADS."""
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    return np.concatenate(session.run(["logits", "corpus_logits"], feeds), axis=-1)


def parity(trained: list[np.ndarray], session: onnxruntime.InferenceSession, windows: list[np.ndarray]) -> dict:
    """How far a graph is from the trained model: logits of the served heads, and the share of pieces with the same decision
    at 0.5, by head."""
    differences, agreements = [], []
    for ids, wanted in zip(windows, trained, strict=True):
        found = run(session, ids)
        differences.append(np.abs(found - wanted)[0, 1:-1, : len(SERVED)])
        agreements.append(((found > 0) == (wanted > 0))[0, 1:-1])
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


def speeds(sessions: dict[str, onnxruntime.InferenceSession], windows: list[np.ndarray], rounds: int) -> dict[str, dict]:
    """Tokens/s of each graph, and its ratio to float32: medians over rounds in which all take turns, each round in another order."""
    tokens = sum(ids.size for ids in windows)
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    for session in sessions.values():
        run(session, windows[0])
    for turn in range(rounds):
        names = list(sessions)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            began = time.perf_counter()
            for ids in windows:
                run(sessions[name], ids)
            seconds[name].append(time.perf_counter() - began)
    return {
        name: {
            "tokensPerSecond": round(tokens / statistics.median(own)),
            "ratioToFp32": round(statistics.median(a / b for a, b in zip(seconds["fp32"], own, strict=True)), 3),
        }
        for name, own in seconds.items()
    }


def export(tagger: Tagger, out: Path, precisions: list[str], reduce_range: bool) -> dict[str, Path]:
    """Graphs by precision, under temporary names in `out`; float32 is always among them, for the others are made of it."""
    paths = {name: out / f".model.{name}.onnx.building" for name in PRECISIONS if name == "fp32" or name in precisions}
    export_float(tagger, paths["fp32"])
    if "fp16" in paths:
        halve(paths["fp32"], paths["fp16"])
    if "int8" in paths:
        quantise(paths["fp32"], paths["int8"], tagger.encoder.config.num_attention_heads, reduce_range)
    return paths


def precision_list(text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(PRECISIONS):
        raise argparse.ArgumentTypeError(f"of {','.join(PRECISIONS)}, separated by commas")
    return [name for name in PRECISIONS if name in names]


def write_record(args: argparse.Namespace) -> None:
    """run.json of an export elsewhere than in the run: the run's, and how much of its start was kept."""
    if args.out.resolve() == args.run.resolve():
        return
    record = json.loads((args.run / "run.json").read_text()) | {"keptStart": args.keep_start}
    temporary = args.out / "run.json.building"
    temporary.write_text(json.dumps(record, indent=2) + "\n")
    os.replace(temporary, args.out / "run.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="directory with checkpoint.pt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True, help="for parity and speed on dev notes")
    parser.add_argument("--precision", type=precision_list, default=["fp32", "int8"], help="of fp32,fp16,int8")
    parser.add_argument("--documents", type=int, default=40, help="dev notes to compare and time on")
    parser.add_argument("--weights", choices=["raw", "ema"], default="ema")
    add_options(parser)
    parser.add_argument("--reduce-range", action=argparse.BooleanOptionalAction, default=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tagger, tokenizer = load(args.run, args.weights), load_tokenizer(args.run)
    keep(tagger, args)
    windows = first_windows(args.corpus, tokenizer, args.documents)
    (args.out / "export.json").unlink(missing_ok=True)
    paths = export(tagger, args.out, args.precision, args.reduce_range)
    print(f"export: {', '.join(paths)} written; comparing and timing them", file=sys.stderr, flush=True)
    with torch.inference_mode():
        trained = [tagger(torch.from_numpy(ids), torch.ones(ids.shape, dtype=torch.long)).numpy() for ids in windows]
    sessions = {name: open_session(path) for name, path in paths.items()}
    speed = speeds(sessions, windows, ROUNDS)
    graphs = {
        name: {"file": f"model.{name}.onnx", "bytes": paths[name].stat().st_size, "sha256": sha256(paths[name])}
        | {"parity": parity(trained, sessions[name], windows), "speed": speed[name]}
        for name in args.precision
    }
    del sessions
    for name, path in paths.items():
        if name in graphs:
            os.replace(path, args.out / graphs[name]["file"])
        else:
            path.unlink()
    definition = json.loads(tokenizer.to_str())
    (args.out / "tokenizer.json").write_text(json.dumps(definition, ensure_ascii=False, separators=(",", ":")))
    write_heads(args.out, tokenizer)
    write_record(args)
    if "int8" in graphs:
        (args.out / "parity.json").write_text(json.dumps(graphs["int8"]["parity"], indent=2) + "\n")
    report = {"onnxruntime": onnxruntime.__version__, "threads": 1, "rounds": ROUNDS, "graphs": graphs}
    temporary = args.out / "export.json.building"
    temporary.write_text(json.dumps(report, indent=2) + "\n")
    os.replace(temporary, args.out / "export.json")
    for name, graph in graphs.items():
        print(f"export: {name} {json.dumps(graph['parity'])} {json.dumps(graph['speed'])}", file=sys.stderr)


if __name__ == "__main__":
    main()
