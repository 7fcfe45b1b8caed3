"""How a run spends its steps: named presets, the order of all batches, and the learning rate. Pure: one seed, one schedule.

The plan is a list of phases (share of notes, share of gold, epochs): the teacher's notes are seen throughout, the human
corpora fade from all to a quarter, so that what ships is tuned for notes without forgetting the literature.
"""

import random
from dataclasses import dataclass

from corpus import Document, Window, cut_windows, pack
from heads import NOTES


@dataclass(frozen=True)
class Recipe:
    phases: tuple[tuple[float, float, int], ...] = ((1.0, 1.0, 2), (1.0, 0.5, 1), (1.0, 0.25, 3))
    """(share of the notes, share of the gold documents, epochs)."""
    steps_scale: float = 1.0
    """Length of every phase, as a multiple of its epochs."""
    learning_rate: float = 1.5e-4
    head_factor: float = 6.0
    warm_up: float = 0.06
    floor: float = 0.02
    weight_decay: float = 0.01
    batch_tokens: int = 2560
    masked: float = 0.06
    ema: float = 0.998
    seed: int = 13


PRESETS = {"notes": Recipe()}


def schedule(documents: list[Document], recipe: Recipe) -> list[list[Window]]:
    """All batches of a run, in order."""
    rng = random.Random(recipe.seed)
    notes = [each for each in documents if each.corpus == NOTES]
    gold = [each for each in documents if each.corpus != NOTES]
    batches: list[list[Window]] = []
    for note_share, gold_share, epochs in recipe.phases:
        remaining = epochs * recipe.steps_scale
        while remaining > 1e-9:
            windows = [w for each in notes if rng.random() < note_share for w in cut_windows(each, rng)]
            windows += [w for each in gold if rng.random() < gold_share for w in cut_windows(each, rng)]
            epoch = pack(windows, recipe.batch_tokens, rng)
            batches += epoch[: round(len(epoch) * min(1.0, remaining))]
            remaining -= 1
    return batches


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """Share of the learning rate: linear warm-up, then linear to the floor."""
    warm = recipe.warm_up * steps
    if step < warm:
        return min(1.0, (step + 1) / warm)
    return recipe.floor + (1 - recipe.floor) * (1 - (step - warm) / (steps - warm))
