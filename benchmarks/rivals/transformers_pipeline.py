"""Rival: the transformers pipeline, PyTorch in float32, one note at a time.

The model has three heads of their own instead of one choice among labels, so the token classification pipeline gets a subclass: its
preprocessing cuts a note into the model's windows (the stock `stride` cuts as many, and pads the last instead of moving it back), and
its postprocessing makes spans of them. What runs the model is the stock pipeline.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, TokenClassificationPipeline, pipeline
from transformers.utils import logging

from note_spans import read_manifest, spans_of, stitched, windows_of
from service import Note, options, serve


class NotePipeline(TokenClassificationPipeline):
    def __init__(self, reading, **settings):
        super().__init__(**settings)
        self.reading = reading

    def preprocess(self, sentence, **_):
        encoding = self.tokenizer(sentence, add_special_tokens=False, return_offsets_mapping=True)
        windows = windows_of(len(encoding["input_ids"]), self.reading.window, self.reading.overlap)
        about = {"text": sentence, "windows": windows, "offsets": encoding["offset_mapping"], "words": encoding.word_ids()}
        for number, (start, end) in enumerate(windows or [(0, 0)]):
            ids = [self.reading.cls, *encoding["input_ids"][start:end], self.reading.sep]
            yield {
                "input_ids": torch.tensor([ids]),
                "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
                "special_tokens_mask": None,
                "sentence": about if number == 0 else None,
                "is_last": number == max(1, len(windows)) - 1,
            }

    def postprocess(self, all_outputs, **_):
        note = all_outputs[0]["sentence"]
        if not note["windows"]:
            return []
        logits = stitched(note["windows"], [each["logits"][0, 1:-1].numpy() for each in all_outputs])
        return spans_of(note["text"], np.array(note["offsets"]), np.array(note["words"]), logits, self.reading)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder that from_onnx.py wrote")
    args = parser.parse_args()
    logging.disable_progress_bar()
    torch.set_num_threads(args.threads)
    tagger = pipeline(
        "token-classification",
        model=AutoModelForTokenClassification.from_pretrained(args.checkpoint),
        tokenizer=AutoTokenizer.from_pretrained(args.checkpoint),
        pipeline_class=NotePipeline,
        reading=read_manifest(args.model),
        device="cpu",
    )

    def tag(notes: Iterable[Note]) -> Iterator[dict]:
        for note in notes:
            yield {"id": note["id"], "spans": tagger(note["text"])}

    serve(args.notes, tag, ["torch", "transformers", "tokenizers", "numpy"])


if __name__ == "__main__":
    main()
