"""Word-level decisions as the product makes them: overlapping windows, each piece decided where it has most context, and a
word (pre-token) with the mean logit of its pieces. A word that a span cuts through is missing: it is not counted.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from corpus import Document

WINDOW, OVERLAP = 254, 64
"""Pieces a window, without [CLS] and [SEP], and pieces that neighbours share at least."""

Run = Callable[[np.ndarray], np.ndarray]
"""input_ids [1, pieces] with special tokens, to logits [1, pieces, heads] of every head in the order of HEADS."""


@dataclass
class Counts:
    """Words that are truly found, wrongly found and missed."""

    found: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, decided: np.ndarray, gold: np.ndarray) -> None:
        self.found += int((decided & gold).sum())
        self.wrong += int((decided & ~gold).sum())
        self.missed += int((~decided & gold).sum())

    @property
    def f1(self) -> float:
        """Zero where nothing was wanted and nothing found."""
        return 2 * self.found / max(1, 2 * self.found + self.wrong + self.missed)

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.wrong)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.found + self.missed)


def owned_windows(count: int) -> Iterator[tuple[int, int, int, int]]:
    """(start, end, first owned, end of owned) in pieces; the owned ranges partition [0, count)."""
    starts = list(range(0, max(1, count - WINDOW), WINDOW - OVERLAP)) if count else []
    if starts and starts[-1] + WINDOW < count:
        starts.append(count - WINDOW)
    spans = [(start, min(count, start + WINDOW)) for start in starts]
    for i, (start, end) in enumerate(spans):
        first = -(-(start + spans[i - 1][1]) // 2) if i else start
        last = -(-(spans[i + 1][0] + end) // 2) if i + 1 < len(spans) else end
        yield start, end, first, last


def piece_logits(document: Document, run: Run, cls: int, sep: int, heads: int) -> np.ndarray:
    """[pieces, heads]"""
    logits = np.zeros((len(document.ids), heads), np.float32)
    for start, end, first, last in owned_windows(len(document.ids)):
        ids = np.concatenate([[cls], document.ids[start:end], [sep]])[None]
        logits[first:last] = run(ids)[0, 1:-1][first - start : last - start]
    return logits


def word_means(words: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[pieces, n] to [words, n]; `words` [pieces] counts up from 0 without gaps."""
    count = int(words.max()) + 1 if len(words) else 0
    sums = np.zeros((count, values.shape[1]), np.float64)
    np.add.at(sums, words, values)
    return sums / np.bincount(words, minlength=count)[:, None]


def gold_words(words: np.ndarray, labels: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Union over heads: (wanted [words], counted [words]); `labels` are [pieces] of 1, 0 or MISSING."""
    count = int(words.max()) + 1 if len(words) else 0
    wanted, missing = np.zeros(count, bool), np.zeros(count, bool)
    for each in labels:
        wanted |= np.bincount(words, each == 1, minlength=count) > 0
        missing |= np.bincount(words, each < 0, minlength=count) > 0
    return wanted, ~missing | wanted
