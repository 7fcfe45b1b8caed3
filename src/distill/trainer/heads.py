"""Which corpus trains which head: the one table that says what every label means.

Three heads serve (`note`); they learn from the teacher's labels on notes and, at less weight, from the one human corpus whose
guidelines agree with ours (NCBI Disease). Every corpus also has heads of its own, because guidelines differ: they share the encoder, keep
the corpora from arguing with each other, and allow comparison with the literature. A corpus says nothing about a task that
it does not annotate: that task is masked there.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Source(NamedTuple):
    """Spans of these types of a corpus train a head, at a weight."""

    head: tuple[str, str]
    types: frozenset[str]
    weight: float


NOTES = "notes"
SERVED = [("note", "medication"), ("note", "disease"), ("note", "symptom")]
CORPUS_HEADS = [
    ("ncbi_disease", "disease"),
    ("bc5cdr", "chemical"),
    ("bc5cdr", "disease"),
    ("biored", "chemical"),
    ("biored", "disease"),
    ("phee", "drug"),
    ("phee", "effect"),
    ("phee", "treat"),
    ("chia", "drug"),
    ("chia", "condition"),
    ("maccrobat", "medication"),
    ("maccrobat", "disease"),
    ("maccrobat", "symptom"),
]
HEADS = SERVED + CORPUS_HEADS
TASKS = [task for _, task in SERVED]
NEAREST = {"chemical": "medication", "drug": "medication", "treat": "disease", "condition": "disease", "effect": "symptom"}
"""Where a corpus' type is no task of ours: the one that its spans are nearest to."""


def task_of(head: tuple[str, str]) -> str:
    return NEAREST.get(head[1], head[1])


def _own(corpus: str, kind: str, *types: str) -> Source:
    return Source((corpus, kind), frozenset(types), 1.0)


def _note(kind: str, weight: float, *types: str) -> Source:
    return Source(("note", kind), frozenset(types), weight)


NCBI_TYPES = ("DiseaseClass", "SpecificDisease", "CompositeMention", "Modifier")

SOURCES: dict[str, list[Source]] = {
    "ncbi_disease": [_own("ncbi_disease", "disease", *NCBI_TYPES), _note("disease", 0.7, *NCBI_TYPES)],
    "bc5cdr": [_own("bc5cdr", "chemical", "Chemical"), _own("bc5cdr", "disease", "Disease")],
    "biored": [
        _own("biored", "chemical", "ChemicalEntity"),
        _own("biored", "disease", "DiseaseOrPhenotypicFeature"),
    ],
    "phee": [
        _own("phee", "drug", "Drug"),
        _own("phee", "effect", "Effect"),
        _own("phee", "treat", "Treat-Disorder"),
    ],
    "chia": [_own("chia", "drug", "Drug"), _own("chia", "condition", "Condition")],
    "maccrobat": [
        _own("maccrobat", "medication", "Medication"),
        _own("maccrobat", "disease", "Disease_disorder"),
        _own("maccrobat", "symptom", "Sign_symptom"),
    ],
    NOTES: [_note(task, 1.0, task) for _, task in SERVED],
}

HUMAN_ONLY = {
    "phee": [_note("medication", 0.5, "Drug")],
    "maccrobat": [
        _note("medication", 0.5, "Medication"),
        _note("disease", 0.5, "Disease_disorder"),
        _note("symptom", 0.5, "Sign_symptom"),
    ],
}
"""What served heads learn besides where no teacher's labels are used: otherwise nothing would train two of them."""


def sources(corpus: str, labels: str) -> list[Source]:
    """`labels`: "human", "teacher" or "both"."""
    return SOURCES[corpus] + (HUMAN_ONLY.get(corpus, []) if labels == "human" else [])


def served_from(corpora: Iterable[str], labels: str) -> list[dict]:
    """Which human corpora train which served task, and at what weight: for the record."""
    return [
        {"corpus": corpus, "task": source.head[1], "weight": source.weight}
        for corpus in corpora
        if corpus != NOTES
        for source in sources(corpus, labels)
        if source.head in SERVED
    ]
