"""Rival: onnxruntime and a plain loop. The shipped int8 graph, one note at a time, its windows one after the other."""

from collections.abc import Iterable, Iterator

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from note_spans import read_manifest, spans_of, stitched, windows_of
from service import Note, options, serve


def main() -> None:
    args = options(__doc__).parse_args()
    reading = read_manifest(args.model)
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = args.threads
    graph = str(args.model / "model.int8.onnx")
    session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])

    def logits_of(pieces: list[int]) -> np.ndarray:
        ids = np.array([[reading.cls, *pieces, reading.sep]], np.int64)
        (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return logits[0, 1:-1]

    def tag(notes: Iterable[Note]) -> Iterator[dict]:
        for note in notes:
            encoding = tokenizer.encode(note["text"], add_special_tokens=False)
            windows = windows_of(len(encoding.ids), reading.window, reading.overlap)
            logits = [logits_of(encoding.ids[start:end]) for start, end in windows]
            spans = []
            if windows:
                offsets, words = np.array(encoding.offsets), np.array(encoding.word_ids)
                spans = spans_of(note["text"], offsets, words, stitched(windows, logits), reading)
            yield {"id": note["id"], "spans": spans}

    serve(args.notes, tag, ["onnxruntime", "tokenizers", "numpy"])


if __name__ == "__main__":
    main()
