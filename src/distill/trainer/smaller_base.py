"""A smaller base model: the first layers of a BERT directory, its embeddings and tokenizer as they are. For students that must
be fast, and for tests that must be quick."""

import argparse
from pathlib import Path

from transformers import BertModel

from model import MINILM, base_directory, load_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=MINILM)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    base = base_directory(args.base)
    model = BertModel.from_pretrained(str(base), add_pooling_layer=False)
    if not 0 < args.layers <= len(model.encoder.layer):
        parser.error(f"--layers: the base has {len(model.encoder.layer)}")
    model.encoder.layer = model.encoder.layer[: args.layers]
    model.config.num_hidden_layers = args.layers
    model.save_pretrained(str(args.out))
    load_tokenizer(base).save(str(args.out / "tokenizer.json"))


if __name__ == "__main__":
    main()
