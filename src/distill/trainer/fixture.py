"""The trained float32 model's logits on a few dev notes that may be redistributed: what int8 is tested against ever after."""

import argparse
import json
from pathlib import Path

import torch

from corpus import Reading, corpus_files
from export import load
from heads import NOTES, SERVED
from keep_start import add_options, keep
from model import CLS, SEP, load_tokenizer

REDISTRIBUTABLE = {"aci_bench", "primock57", "mts_dialog_sections"}  # CC BY 4.0
WINDOWS, PIECES = 16, 126


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="directory with checkpoint.pt")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    add_options(parser)
    args = parser.parse_args()
    tagger, tokenizer = load(args.run, "ema"), load_tokenizer(args.run)
    keep(tagger, args)
    reading = Reading(tokenizer)
    cls, sep = tokenizer.token_to_id(CLS), tokenizer.token_to_id(SEP)
    windows = []
    for line in corpus_files(args.corpus)[NOTES].read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] != "dev" or row["source"] not in REDISTRIBUTABLE or len(windows) == WINDOWS:
            continue
        ids = [cls, *reading.document(row, NOTES).ids[:PIECES].tolist(), sep]
        with torch.no_grad():
            logits = tagger(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))[0, :, : len(SERVED)]
        windows.append({"inputIds": ids, "logits": [round(value, 3) for value in logits.flatten().tolist()]})
    args.out.write_text(json.dumps(windows, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
