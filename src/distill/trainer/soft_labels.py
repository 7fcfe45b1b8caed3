"""Soft labels: an exported tagger's probabilities where nobody has labelled, as targets of the same loss.

Two uses: every head on unlabelled text, and the heads that a corpus does not annotate on its own documents. Unlabelled text that
shares more than a little with a dev or test document of any corpus is left out (8-word shingles), and so are the labelled notes.
"""

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime

from corpus import Document, corpus_files, encode, read_rows
from finished import expect_vocabulary, read_finished
from heads import HEADS, NOTES, SERVED
from model import CLS, SEP
from word_scores import piece_logits

UNLABELLED = "unlabelled"
WEIGHTS = {UNLABELLED: (0.6, 0.2), NOTES: (0.0, 0.1)}
"""(served heads, heads of the corpora), by where a document comes from: others have (0.3, 0.1)."""
OTHERS = (0.3, 0.1)
SHINGLE = 8
SHARED = 0.1


class SoftTeachers:
    """One model or several. Served heads get the mean of all; a corpus' heads what the first says, since the others may not have learned them."""

    def __init__(self, directories: list[Path], tokenizer):
        self.members = [SoftTeacher(each, tokenizer) for each in directories]
        self.names = [each.name for each in self.members]

    def __call__(self, document: Document) -> np.ndarray:
        """Probabilities of Inside [pieces, heads]."""
        first, *others = (member(document) for member in self.members)
        served = np.mean([each[:, : len(SERVED)] for each in (first, *others)], axis=0)
        return np.concatenate([served, first[:, len(SERVED) :]], axis=1)


class SoftTeacher:
    """A model folder with heads in the trainer's order, read once by onnxruntime. It takes one core: documents run side by side, not
    parts of one."""

    def __init__(self, directory: Path, tokenizer):
        graph, temperatures, self.name = read_finished(directory, "--soft-teachers")
        expect_vocabulary(directory, "--soft-teachers", tokenizer)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.temperatures = np.array(temperatures, np.float32)
        self.cls, self.sep = tokenizer.token_to_id(CLS), tokenizer.token_to_id(SEP)

    def __call__(self, document: Document) -> np.ndarray:
        """Probabilities of Inside [pieces, heads]."""

        def run(ids: np.ndarray) -> np.ndarray:
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            return np.concatenate(self.session.run(["logits", "corpus_logits"], feeds), axis=-1)

        logits = piece_logits(document, run, self.cls, self.sep, len(HEADS)) / self.temperatures
        return 1 / (1 + np.exp(-logits))


def add_soft_labels(documents: list[Document], teacher: SoftTeachers, cache: Path, threads: int) -> list[Document]:
    """The same documents with every missing head filled. Probabilities are kept in `cache`, for a resumed run."""
    pieces = sum(len(each.ids) for each in documents)
    key = hashlib.sha256(json.dumps([teacher.names, [(each.id, len(each.ids)) for each in documents]]).encode()).hexdigest()
    named = cache.with_name(f"{cache.name}-{key[:12]}.npy")
    if named.exists():
        soft = np.load(named)
    else:
        soft = np.zeros((pieces, len(HEADS)), np.float16)
        at = 0
        with ThreadPoolExecutor(threads) as pool:
            for number, answer in enumerate(pool.map(teacher, documents)):
                soft[at : at + len(answer)] = answer
                at += len(answer)
                if number % 500 == 499:
                    print(f"train: soft labels, {at} of {pieces} word pieces", file=sys.stderr, flush=True)
        temporary = named.with_suffix(".tmp.npy")
        np.save(temporary, soft)
        temporary.replace(named)
    filled, at = [], 0
    for document in documents:
        part = soft[at : at + len(document.ids)].astype(np.float32)
        at += len(document.ids)
        filled.append(fill(document, part))
    return filled


def fill(document: Document, soft: np.ndarray) -> Document:
    served, corpora = WEIGHTS.get(document.corpus, OTHERS)
    weight = {head: served if head < len(SERVED) else corpora for head in range(len(HEADS))}
    missing = {h: (soft[:, h], weight[h]) for h in range(len(HEADS)) if h not in document.labels and weight[h] > 0}
    return replace(document, labels={**document.labels, **missing})


def read_unlabelled(paths: list[Path], corpus: Path, tokenizer) -> list[Document]:
    """Documents of `.jsonl` or `.jsonl.gz` files of `{id, text}`, without labels."""
    notes = corpus_files(corpus).get(NOTES)
    known = {row["id"] for row in read_rows(notes, NOTES)} if notes else set()
    held_out = held_out_of(corpus)
    documents, left_out = [], 0
    for path in paths:
        for row in rows_of(path, "id", "text"):
            if row["id"] in known:
                continue
            own = shingles(row["text"])
            if len(own & held_out) > SHARED * max(1, len(own)):
                left_out += 1
                continue
            encoded = encode(tokenizer, row["text"])
            documents.append(
                Document(row["id"], UNLABELLED, np.array(encoded.ids, np.int64), np.array(encoded.word_ids, np.int64), {})
            )
    print(f"train: {len(documents)} unlabelled documents; {left_out} left out: too like dev or test", file=sys.stderr)
    return documents


def held_out_of(corpus: Path) -> set[int]:
    """Shingles of every dev or test document. Of gold that no head reads too: somebody measures by it, whatever its types are called."""
    files = [*(corpus / "gold").glob("*.jsonl"), *(corpus / "gold").glob("*.jsonl.gz"), corpus / "teacher" / "notes.jsonl"]
    rows = (row for path in files if path.exists() for row in rows_of(path, "split", "text"))
    return {each for row in rows if row["split"] != "train" for each in shingles(row["text"])}


def rows_of(path: Path, *keys: str) -> Iterator[dict]:
    """Every row, with text at all of `keys`. Exits with file and line."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line == "\n":
                continue
            try:
                row = json.loads(line)
                if not all(isinstance(row[key], str) for key in keys):
                    raise ValueError(" or ".join(keys))
            except (KeyError, TypeError, ValueError) as error:
                # a decoder's message may quote text: only the kind of the error is told
                sys.exit(f"{path}:{number}: not a row of {{{', '.join(keys)}}} ({type(error).__name__})")
            yield row


def shingles(text: str) -> set[int]:
    words = re.findall(r"\w+", text.lower())
    return {hash(tuple(words[i : i + SHINGLE])) for i in range(max(1, len(words) - SHINGLE + 1))}
