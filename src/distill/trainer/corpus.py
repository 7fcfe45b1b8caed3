"""A corpus directory as token windows: `gold/<corpus>.jsonl` and `teacher/notes.jsonl`, those that are there.

Rows are `{id, split, text, entities: [{start, end, type, confidence?}]}` with offsets in code points. A span that cuts through a word
piece makes it *missing*: it is neither Inside nor Outside, and no loss counts it.
"""

import gzip
import hashlib
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import regex
from tokenizers import Encoding, Tokenizer

from heads import HEADS, NOTES, SOURCES, sources

WINDOW_LENGTHS = (126, 190, 254)
MISSING = -1
SPLITS = ("train", "dev", "test")
SPACES = regex.compile("[\x0b\x0c\x1c-\x1f\x80-\x9f\u200b]")
DELETED = regex.compile(r"[\x00-\x08\x0e-\x1b\x7f\ufffd\p{Co}]")
SYMBOL = r"(?![\x00-\x7f©®°™℃℉])[\p{S}\u2460-\u24ff\u2776-\u2793]"
GLUED = regex.compile(
    rf"(?<=[\p{{L}}\p{{M}}]){SYMBOL}|(?<=\p{{N}}){SYMBOL}(?!\p{{N}})|{SYMBOL}(?=[\p{{M}}\p{{Cf}}]{{0,8}}\p{{L}})"
)
MEANT = {"\u2212": "-", "\u00b4": "'"}


@dataclass(frozen=True)
class Document:
    """`ids` [pieces]; `words` [pieces]; `labels` by head index: ([pieces] of P(Inside) or MISSING, weight)."""

    id: str
    corpus: str
    ids: np.ndarray
    words: np.ndarray
    labels: dict[int, tuple[np.ndarray, float]]


@dataclass(frozen=True)
class Window:
    """The pieces [start, end) of a document."""

    document: Document
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def corpus_files(directory: Path) -> dict[str, Path]:
    files = {name: plain_or_packed(directory / "gold" / f"{name}.jsonl") for name in SOURCES if name != NOTES}
    files[NOTES] = directory / "teacher" / "notes.jsonl"
    found = {name: path for name, path in files.items() if path.exists()}
    if not found:
        sys.exit(f"corpus directory {directory} holds none of {', '.join(map(str, files.values()))}")
    return found


def plain_or_packed(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    return packed if packed.exists() and not path.exists() else path


def open_rows(path: Path) -> TextIO:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def unread(directory: Path) -> list[str]:
    """Gold files that no head learns from: their names are those of no known corpus."""
    files = [*(directory / "gold").glob("*.jsonl"), *(directory / "gold").glob("*.jsonl.gz")]
    names = {path: path.name.removesuffix(".gz").removesuffix(".jsonl") for path in files}
    return sorted(f"gold/{path.name}" for path, name in names.items() if name not in SOURCES or name == NOTES)


def labelled_by(files: dict[str, Path], labels: str) -> dict[str, Path]:
    """The files with `labels` of: "human", "teacher" (the notes' file) or "both"."""
    return {name: path for name, path in files.items() if labels == "both" or (name == NOTES) == (labels == "teacher")}


def read_rows(path: Path, corpus: str) -> Iterator[dict]:
    """Every row, checked: a wrong offset or an unknown type would silently become Outside. Exits with file and line."""
    known = {kind for source in SOURCES[corpus] for kind in source.types}
    with open_rows(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if row["split"] not in SPLITS or not isinstance(row["id"], str):
                    raise ValueError("id or split")
                for entity in row["entities"]:
                    if entity["type"] not in known or not 0 <= entity["start"] < entity["end"] <= len(row["text"]):
                        raise ValueError("type or offsets")
                    if not 0 < entity.get("confidence", 1) <= 1:
                        raise ValueError("confidence")
            except (KeyError, TypeError, ValueError) as error:
                # a decoder's message may quote text: only the kind of the error is told
                sys.exit(f"{path}:{number}: not a corpus row ({type(error).__name__})")
            yield row


def readable(text: str) -> str:
    """As in src/model/readable.ts, where it is explained: one code point for one."""
    text = DELETED.sub("•", SPACES.sub(" ", text))
    return GLUED.sub(lambda found: MEANT.get(found[0], "•"), text)


def encode(tokenizer: Tokenizer, text: str) -> Encoding:
    """As `TextTokenizer` does it in src/model/tokenizer.ts: the same pieces, words and offsets, without special tokens."""
    return tokenizer.encode(readable(text), add_special_tokens=False)


@dataclass(frozen=True)
class Reading:
    """How rows become documents. `labels` as in `labelled_by`; `soft`: an entity's confidence is its label, not 1."""

    tokenizer: Tokenizer
    labels: str = "both"
    soft: bool = False

    def documents(self, path: Path, corpus: str, split: str) -> list[Document]:
        return [self.document(row, corpus) for row in read_rows(path, corpus) if row["split"] == split]

    def document(self, row: dict, corpus: str) -> Document:
        encoded = encode(self.tokenizer, row["text"])
        offsets = np.array(encoded.offsets, dtype=np.int64).reshape(-1, 2)
        labels = {
            HEADS.index(source.head): (label_pieces(offsets, row["entities"], source.types, self.soft), source.weight)
            for source in sources(corpus, self.labels)
        }
        return Document(row["id"], corpus, np.array(encoded.ids, np.int64), np.array(encoded.word_ids, np.int64), labels)


def label_pieces(offsets: np.ndarray, entities: list[dict], types: frozenset[str], soft: bool) -> np.ndarray:
    """[pieces] of P(Inside) inside a span, MISSING where a span cuts the piece, else 0."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    labels = np.zeros(len(offsets), np.float32)
    for entity in entities:
        if entity["type"] not in types:
            continue
        inside = (starts >= entity["start"]) & (ends <= entity["end"])
        cut = (starts < entity["end"]) & (ends > entity["start"]) & ~inside
        labels[inside] = np.maximum(labels[inside], entity.get("confidence", 1) if soft else 1)
        labels[cut & (labels <= 0)] = MISSING
    return labels


def in_share(document_id: str, share: float) -> bool:
    """By a hash of the id: a smaller share's documents are among a larger one's."""
    return int(hashlib.sha256(document_id.encode()).hexdigest()[:8], 16) < share * 2**32


def cut_windows(document: Document, rng: random.Random) -> list[Window]:
    """Windows of one random length from a random first cut, so that every epoch sees other contexts."""
    count = len(document.ids)
    length = rng.choice(WINDOW_LENGTHS)
    if count <= length:
        return [Window(document, 0, count)] if count else []
    windows = []
    for start in range(-rng.randrange(0, length // 2), count, length):
        window = Window(document, max(0, start), min(count, start + length))
        if len(window) >= 8 or window.end == count:
            windows.append(window)
    return windows


def pack(windows: list[Window], budget: int, rng: random.Random, most: int | None = None) -> list[list[Window]]:
    """Batches of similar lengths, each at most `budget` padded tokens (and `most` windows), in random order."""
    shuffled = windows[:]
    rng.shuffle(shuffled)
    batches: list[list[Window]] = []
    for at in range(0, len(shuffled), 1500):
        batch: list[Window] = []
        for window in sorted(shuffled[at : at + 1500], key=len):
            longest = max([len(window), *map(len, batch)]) + 2
            if batch and (longest * (len(batch) + 1) > budget or len(batch) == most):
                batches.append(batch)
                batch = []
            batch.append(window)
        if batch:
            batches.append(batch)
    rng.shuffle(batches)
    return batches


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
