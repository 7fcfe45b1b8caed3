"""Rival: onnxruntime and a batched loop. The shipped int8 graph; --notes-per-batch notes in order of arrival, all their windows
together, --windows-per-run of them a call, padded to the longest. A note's answer then depends on its neighbours, since dynamic int8
is scaled by the range of a whole batch.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from note_spans import read_manifest, spans_of, stitched, windows_of
from service import Note, options, serve


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--notes-per-batch", type=int, default=8)
    parser.add_argument("--windows-per-run", type=int, default=8)
    args = parser.parse_args()
    reading = read_manifest(args.model)
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = args.threads
    graph = str(args.model / "model.int8.onnx")
    session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])

    def run(rows: list[list[int]]) -> list[np.ndarray]:
        """Pieces of windows to their logits [pieces, heads]."""
        ids = np.full((len(rows), max(map(len, rows)) + 2), reading.pad, np.int64)
        mask = np.zeros_like(ids)
        for i, pieces in enumerate(rows):
            ids[i, : len(pieces) + 2] = [reading.cls, *pieces, reading.sep]
            mask[i, : len(pieces) + 2] = 1
        (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        return [logits[i, 1 : len(pieces) + 1] for i, pieces in enumerate(rows)]

    def spans_in(note: Note, encoding: Encoding, windows: list[tuple[int, int]], logits: list[np.ndarray]) -> list:
        if not windows:
            return []
        offsets, words = np.array(encoding.offsets), np.array(encoding.word_ids)
        return spans_of(note["text"], offsets, words, stitched(windows, logits), reading)

    def tag(notes: Iterable[Note]) -> Iterator[dict]:
        arriving = iter(notes)
        while batch := list(islice(arriving, args.notes_per_batch)):
            encodings = tokenizer.encode_batch([note["text"] for note in batch], add_special_tokens=False)
            windows = [windows_of(len(each.ids), reading.window, reading.overlap) for each in encodings]
            rows = [each.ids[start:end] for each, own in zip(encodings, windows) for start, end in own]
            size = args.windows_per_run
            logits = iter([one for at in range(0, len(rows), size) for one in run(rows[at : at + size])])
            for note, encoding, own in zip(batch, encodings, windows):
                yield {"id": note["id"], "spans": spans_in(note, encoding, own, list(islice(logits, len(own))))}

    serve(args.notes, tag, ["onnxruntime", "tokenizers", "numpy"])


if __name__ == "__main__":
    main()
