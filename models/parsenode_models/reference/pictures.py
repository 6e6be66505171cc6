"""From values of a modality to the picture that the image encoder takes, as the node does it for generation v2.

Window or percentiles → bytes, decimals cut off → square, padded with 0 → bicubic to the side (a = -0.75, not smoothed,
rounded after each of its two passes) → three channels: this slice, the one before, the one after.
"""

import numpy as np
import torch
from torch.nn import functional as F

SIDE = 192
# The one window of the model, in HU.
WINDOW_LOW_HU, WINDOW_HIGH_HU = -400.0, 500.0
# MR: percentiles of the positive values of the series.
PERCENTILES = (0.5, 99.5)
# Instead of a modality: any image of 8 bits.
BYTES = "bytes"


def bounds(values: np.ndarray, modality: str) -> tuple[float, float]:
    """What becomes 0 and what becomes 255; values that are bytes already stay as they are."""
    if modality == BYTES:
        return 0.0, 255.0
    if modality == "CT":
        return WINDOW_LOW_HU, WINDOW_HIGH_HU
    positive = values[values > 0]
    low, high = np.percentile(positive, PERCENTILES) if positive.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def grey(values: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """0 to 255, whole numbers in bytes."""
    return ((values.double() - low) / (high - low) * 255).clamp(0, 255).to(torch.uint8)


def squared(picture: torch.Tensor) -> torch.Tensor:
    """Zeros around, so that it is a square; an odd one goes behind."""
    rows, columns = picture.shape[-2:]
    side = max(rows, columns)
    above, left = (side - rows) // 2, (side - columns) // 2
    return F.pad(picture, (left, side - columns - left, above, side - rows - above))


def sized(picture: torch.Tensor, side: int = SIDE) -> torch.Tensor:
    """A square `[n, c, a, a]` of bytes at the side of the encoder, as float."""
    if picture.shape[-1] == side:
        return picture.float()
    return F.interpolate(picture, size=(side, side), mode="bicubic", align_corners=False).float()


def neighbours(index: int, count: int) -> tuple[int, int, int]:
    """This slice, the one before, the one after; the ends are mirrored, a single slice repeats."""
    before = index - 1 if index > 0 else min(1, count - 1)
    after = index + 1 if index + 1 < count else max(count - 2, 0)
    return index, before, after


def encoder_inputs(values: np.ndarray, modality: str, side: int = SIDE) -> torch.Tensor:
    """`[D, rows, columns]` → `[D, 3, S, S]`."""
    bytes_ = grey(torch.from_numpy(values.astype(np.float32)), *bounds(values, modality))
    slices = sized(squared(bytes_)[:, None], side)[:, 0]
    return torch.stack([slices[list(neighbours(i, len(slices)))] for i in range(len(slices))])


def on_source(logits: torch.Tensor, rows: int, columns: int, side: int = SIDE) -> torch.Tensor:
    """`[n, M, M]` logits → `[n, rows, columns]` probabilities: to S, then to the square, then without its margins."""
    full = F.interpolate(logits[:, None], size=(side, side), mode="bicubic", align_corners=False, antialias=True)
    square = max(rows, columns)
    probability = F.interpolate(torch.sigmoid(full), size=(square, square), mode="bilinear", align_corners=False)[:, 0]
    above, left = (square - rows) // 2, (square - columns) // 2
    return probability[:, above : above + rows, left : left + columns]
