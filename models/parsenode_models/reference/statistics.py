"""What masks of the model are like where they are right, for p-values: Beta distributions of four means.

The means are those of the test that v1 has: over pixels of probability at least 128/255, of the probability and of the three
channels of the picture, each in 1/256.
"""

import json
from pathlib import Path

import numpy as np
import torch
from scipy import optimize, special
from torch.nn import functional as F

from . import series
from .batches import Sources, example, shaped
from .folder import STATISTICS, Model
from .targets import NAMES

TYPES = {"CT": "CT-Abdomen", "MRI": "MRI-Abdomen"}
KINDS = {"CT": "ct", "MRI": "mr"}
PICTURES_EACH = 250
# Fewer masks than this tell nothing.
MASKS_LEAST = 20
DICE_LEAST = 0.5


def means(picture: torch.Tensor, logits: torch.Tensor) -> list[float] | None:
    """The four means over a mask; None of an empty one."""
    side = picture.shape[-1]
    full = F.interpolate(logits[None, None], size=(side, side), mode="bicubic", align_corners=False, antialias=True)[
        0, 0
    ]
    scaled = torch.sigmoid(full) * 255
    inside = scaled >= 128
    if not inside.any():
        return None
    return [float(layer[inside].mean()) / 256 for layer in (scaled, *picture)]


def samples(model: Model, shared: Path, targets: list[tuple[str, list[str]]], seed: int) -> dict[str, dict[str, list]]:
    """Means of masks that are right, by type and target, over pictures of the training in random shapes."""
    sources, table = Sources.read(shared), torch.from_numpy(series.target_table())
    found: dict[str, dict[str, list]] = {}
    for modality, kind in KINDS.items():
        wanted = [name for name, modalities in targets if modality in modalities]
        tokens = {name: model.tokens(f"{name} in abdomen {modality}") for name in wanted}
        of_type = found.setdefault(TYPES[modality], {name: [] for name in wanted})
        for number in range(PICTURES_EACH):
            random = np.random.default_rng([seed, len(found), number])
            picture, masks = shaped(example(kind, sources, random), random, table)
            features = model.features(picture)
            for name in wanted:
                add(of_type[name], model, features, tokens[name], picture, masks[NAMES.index(name)])
    return found


def add(
    samples_: list, model: Model, features: dict, tokens: np.ndarray, picture: torch.Tensor, truth: torch.Tensor
) -> None:
    """Adds the means of one mask where the target is there and was found."""
    if truth.sum() < 3:
        return
    logits, exists = model.answer(features, tokens)
    marked, truth = logits > 0, truth > 0.5
    dice = 2 * (marked & truth).sum() / (marked.sum() + truth.sum()).clamp(min=1)
    four = means(picture, logits) if exists > 0.5 and dice >= DICE_LEAST else None
    if four:
        samples_.append(four)


def fitted(values: np.ndarray) -> list[float]:
    """a and b of the Beta distribution that makes these values most likely."""
    values = np.clip(values, 1e-4, 1 - 1e-4)
    mean, spread = values.mean(), max(values.var(), 1e-8)
    size = mean * (1 - mean) / spread - 1
    logs = np.log(values).mean(), np.log1p(-values).mean()

    def unlikely(log_ab: np.ndarray) -> float:
        a, b = np.exp(log_ab)
        return special.betaln(a, b) - (a - 1) * logs[0] - (b - 1) * logs[1]

    start = np.log(np.maximum([mean * size, (1 - mean) * size], 1e-2))
    best = optimize.minimize(unlikely, start, method="Nelder-Mead")
    return [float(f"{number:.6g}") for number in np.exp(best.x)]


def write(
    model: Model, folder: Path, shared: Path, targets: list[tuple[str, list[str]]], seed: int
) -> dict[str, dict[str, int]]:
    """Writes `target_dist.json`; gives how many masks each pair was fitted to."""
    found = samples(model, shared, targets, seed)
    result = {
        kind: {
            name: [fitted(column) for column in np.array(rows).T]
            for name, rows in of_type.items()
            if len(rows) >= MASKS_LEAST
        }
        for kind, of_type in found.items()
    }
    (folder / STATISTICS).write_text(json.dumps(result, indent=1) + "\n")
    return {kind: {name: len(rows) for name, rows in of_type.items()} for kind, of_type in found.items()}
