"""Soft labels: an exported tagger's probabilities where nobody has labelled, as targets of the same loss.

Two uses: every head on unlabelled text, and the heads that a corpus does not annotate on its own documents. Unlabelled text is left out
where it is more than a little like dev and test documents of any corpus, or where one of these stands in it (8-word shingles); and so are
the labelled notes.
"""

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

from corpus import Document, corpus_files, encode, open_rows, read_rows
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
"""Of an unlabelled document, in all dev and test documents together: from there on it is left out."""
HELD = 0.5
"""Of one dev or test document, in all unlabelled ones that are left: those of them that hold some of it are left out."""


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
        graph, temperatures, record = read_finished(directory, "--soft-teachers")
        self.name = record | {"temperatures": temperatures[: len(SERVED)]}
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


def key_of(documents: list[Document], names: list[dict]) -> str:
    """Of all that decides the probabilities: the teachers, and what they read, in order."""
    key = hashlib.sha256(json.dumps(names).encode())
    for each in documents:
        key.update(each.ids.tobytes())
        key.update(b"end")
    return key.hexdigest()[:12]


def add_soft_labels(documents: list[Document], teacher: SoftTeachers, cache: Path, threads: int) -> list[Document]:
    """The same documents with every missing head filled. Probabilities are kept in `cache`, for a resumed run."""
    pieces = sum(len(each.ids) for each in documents)
    named = cache.with_name(f"{cache.name}-{key_of(documents, teacher.names)}.npy")
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
    rows = [row for path in paths for row in rows_of(path, "id", "text") if row["id"] not in known]
    leaks = leaking([shingles(row["text"]) for row in rows], held_out_of(corpus))
    documents = []
    for row in (row for number, row in enumerate(rows) if number not in leaks):
        encoded = encode(tokenizer, row["text"])
        ids, words = np.array(encoded.ids, np.int64), np.array(encoded.word_ids, np.int64)
        documents.append(Document(row["id"], UNLABELLED, ids, words, {}))
    print(f"train: {len(documents)} unlabelled documents; {len(leaks)} left out: too like dev or test", file=sys.stderr)
    return documents


def held_out_of(corpus: Path) -> list[set[int]]:
    """Shingles of each dev or test document. Of gold that no head reads too: somebody measures by it, whatever its types are called."""
    files = [*(corpus / "gold").glob("*.jsonl"), *(corpus / "gold").glob("*.jsonl.gz"), corpus / "teacher" / "notes.jsonl"]
    rows = (row for path in files if path.exists() for row in rows_of(path, "split", "text"))
    return [shingles(row["text"]) for row in rows if row["split"] != "train"]


def leaking(documents: list[set[int]], held_out: list[set[int]]) -> set[int]:
    """Which of `documents` to leave out, both as shingles. A short note within a long document is little of that, and all of itself."""
    holders: dict[int, list[int]] = {}
    for number, own in enumerate(held_out):
        for each in own:
            holders.setdefault(each, []).append(number)
    leaks = {number for number, own in enumerate(documents) if len(own & holders.keys()) > SHARED * max(1, len(own))}
    shared: dict[int, dict[int, set[int]]] = {}
    """By the held-out document, by the document that has some of it."""
    for number, own in enumerate(documents):
        for each in own & holders.keys() if number not in leaks else ():
            for held in holders[each]:
                shared.setdefault(held, {}).setdefault(number, set()).add(each)
    for held, parts in shared.items():
        if len(set().union(*parts.values())) >= HELD * len(held_out[held]):
            leaks |= parts.keys()
    return leaks


def rows_of(path: Path, *keys: str) -> Iterator[dict]:
    """Every row, with text at all of `keys`. Exits with file and line."""
    with open_rows(path) as lines:
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
