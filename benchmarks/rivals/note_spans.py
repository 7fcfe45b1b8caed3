"""Word pieces to spans, as the model was made to be read: overlapping windows, the mean logit of a word's pieces, and runs of Inside
words on one line. Every Python rival ends in this code, so that what differs between them is how they run the model.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Span = tuple[str, int, int]
"""Task, first code point, one past the last."""

LINE_END = re.compile("[\n\r\u2028\u2029]")


@dataclass(frozen=True)
class Reading:
    """How the manifest says that the model is read."""

    tasks: list[str]
    temperatures: np.ndarray
    thresholds: np.ndarray
    window: int
    """Pieces, without [CLS] and [SEP]."""
    overlap: int
    cls: int
    sep: int
    pad: int


def read_manifest(model: Path) -> Reading:
    manifest = json.loads((model / "manifest.json").read_text())
    heads, special = manifest["heads"], manifest["specialTokens"]
    return Reading(
        tasks=[head["task"] for head in heads],
        temperatures=np.array([head["temperature"] for head in heads]),
        thresholds=np.array([head["threshold"] for head in heads]),
        window=manifest["window"]["tokens"] - 2,
        overlap=manifest["window"]["overlap"],
        cls=special["cls"],
        sep=special["sep"],
        pad=special["pad"],
    )


def windows_of(count: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """[start, end) of windows over `count` pieces; the last is moved back to full length."""
    starts = list(range(0, max(1, count - overlap), size - overlap)) if count else []
    return [(max(0, min(start, count - size)), min(count, start + size)) for start in starts]


def stitched(windows: list[tuple[int, int]], logits: list[np.ndarray]) -> np.ndarray:
    """[pieces, heads] of a note: neighbours share their overlap half and half. `logits` are [pieces of the window, heads]."""
    parts = []
    for i, ((start, end), own) in enumerate(zip(windows, logits, strict=True)):
        first = -(-(start + windows[i - 1][1]) // 2) if i else start
        last = -(-(windows[i + 1][0] + end) // 2) if i + 1 < len(windows) else end
        parts.append(own[first - start : last - start])
    return np.concatenate(parts)


def spans_of(text: str, offsets: np.ndarray, words: np.ndarray, logits: np.ndarray, reading: Reading) -> list[Span]:
    """`offsets` [pieces, 2] in code points, `words` [pieces] never falling, `logits` [pieces, heads]."""
    if len(words) == 0:
        return []
    firsts = np.flatnonzero(np.diff(words, prepend=-1))
    lengths = np.diff(firsts, append=len(words))
    means = np.add.reduceat(logits.astype(np.float64), firsts, axis=0) / lengths[:, None]
    inside = 1 / (1 + np.exp(-means / reading.temperatures)) >= reading.thresholds
    starts, ends = offsets[firsts, 0], offsets[firsts + lengths - 1, 1]
    spans: list[Span] = []
    for head, task in enumerate(reading.tasks):
        for first, last in runs(text, starts, ends, inside[:, head]):
            start, end = int(starts[first]), with_marks(text, int(ends[last]))
            if any(letter.isalnum() for letter in text[start:end]):
                spans.append((task, start, end))
    order = {task: number for number, task in enumerate(reading.tasks)}
    return sorted(spans, key=lambda span: (span[1], order[span[0]]))


def runs(text: str, starts: np.ndarray, ends: np.ndarray, chosen: np.ndarray) -> Iterator[tuple[int, int]]:
    """(first, last) word of each run of chosen words; a line end between two words ends a run."""
    first = last = None
    for word in np.flatnonzero(chosen):
        if last is not None and word == last + 1 and not LINE_END.search(text[ends[last] : starts[word]]):
            last = word
            continue
        if first is not None:
            yield first, last
        first = last = word
    if first is not None:
        yield first, last


def with_marks(text: str, end: int) -> int:
    """The tokenizer drops combining marks: an accent belongs to the letter before it."""
    while end < len(text) and unicodedata.category(text[end]).startswith("M"):
        end += 1
    return end
