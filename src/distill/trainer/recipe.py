"""How a run spends its steps: named presets, the order of all batches, and the learning rate. Pure: one seed, one schedule.

The plan is a list of phases (share of notes, of gold, of unlabelled text, epochs): the teacher's notes are seen throughout, the
human corpora fade, so that what ships is tuned for notes without forgetting the literature.
"""

import random
from dataclasses import dataclass

from corpus import Document, Window, cut_windows, pack
from heads import NOTES
from soft_labels import UNLABELLED


@dataclass(frozen=True)
class Recipe:
    phases: tuple[tuple[float, float, float, int], ...] = ((1.0, 1.0, 0.0, 2), (1.0, 0.5, 0.0, 1), (1.0, 0.25, 0.0, 3))
    """(share of the notes, of the gold documents, of the unlabelled ones, epochs)."""
    steps_scale: float = 1.0
    """Length of every phase, as a multiple of its epochs."""
    learning_rate: float = 1.5e-4
    head_factor: float = 6.0
    warm_up: float = 0.06
    floor: float = 0.02
    weight_decay: float = 0.01
    batch_tokens: int = 2560
    batch_windows: int | None = None
    """At most so many windows a batch, besides the limit on tokens."""
    dropout: float = 0.0
    encoders: str = "shared"
    """Or "task": one encoder a task, three times the cost."""
    masked: float = 0.06
    shorthand: float = 0.0
    """Share of the notes read in shorthand, each time by chance; above 0, made-up lines of shorthand are added."""
    ema: float = 0.998
    seed: int = 13


SELF_TRAINED = Recipe(
    phases=((1.0, 1.0, 0.25, 2), (1.0, 0.5, 0.25, 6)), masked=0.08, shorthand=0.4, learning_rate=1.6e-4
)
"""Longer, with soft labels on unlabelled text and shorthand."""
PAPER = Recipe(
    phases=((1.0, 1.0, 0.0, 10),),
    learning_rate=2e-5,
    head_factor=1.0,
    warm_up=0.0,
    floor=0.0,
    weight_decay=0.01,
    batch_tokens=8 * 256,
    batch_windows=8,
    dropout=0.1,
    encoders="task",
    masked=0.0,
    ema=0.0,
)
"""Vedula et al., arXiv 2501.00031: learning rate, batch, decay and epochs as published, a model a task; what is not published
(schedule, dropout, window) is the usual of BERT's fine-tuning."""
PRESETS = {"notes": Recipe(), "self-trained": SELF_TRAINED, "paper": PAPER}


def schedule(documents: list[Document], in_shorthand: dict[str, Document], recipe: Recipe) -> list[list[Window]]:
    """All batches of a run, in order. `in_shorthand` by the note's id: what may be read in its stead."""
    rng = random.Random(recipe.seed)
    notes = [each for each in documents if each.corpus == NOTES]
    unlabelled = [each for each in documents if each.corpus == UNLABELLED]
    gold = [each for each in documents if each.corpus not in (NOTES, UNLABELLED)]

    def version(note: Document) -> Document:
        return in_shorthand[note.id] if note.id in in_shorthand and rng.random() < recipe.shorthand else note

    batches: list[list[Window]] = []
    for note_share, gold_share, unlabelled_share, epochs in recipe.phases:
        remaining = epochs * recipe.steps_scale
        while remaining > 1e-9:
            windows = [w for each in notes if rng.random() < note_share for w in cut_windows(version(each), rng)]
            windows += [w for each in gold if rng.random() < gold_share for w in cut_windows(each, rng)]
            windows += [w for each in unlabelled if rng.random() < unlabelled_share for w in cut_windows(each, rng)]
            epoch = pack(windows, recipe.batch_tokens, rng, recipe.batch_windows)
            batches += epoch[: round(len(epoch) * min(1.0, remaining))]
            remaining -= 1
    return batches


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """Share of the learning rate: linear warm-up, then linear to the floor."""
    warm = recipe.warm_up * steps
    if step < warm:
        return min(1.0, (step + 1) / warm)
    return recipe.floor + (1 - recipe.floor) * (1 - (step - warm) / (steps - warm))
