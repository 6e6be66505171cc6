"""The sine code of rows and columns that tells attention where in the picture a token lies.

It is computed on the CPU even where a network is made on the meta device, without weights.
"""

import math

import torch
from torch import Tensor

# The slowest wave is this many times as long as the fastest.
TEMPERATURE = 10000


def waves(side: int, count: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """`[side, count]`: the code of places 1 to `side` on one axis; sine and cosine in turn."""
    places = torch.arange(1, side + 1, dtype=dtype, device="cpu")
    places = places / (places[-1] + 1e-6) * (2 * math.pi)
    pairs = torch.div(torch.arange(count, dtype=dtype, device="cpu"), 2, rounding_mode="floor")
    angles = places[:, None] / TEMPERATURE ** (2 * pairs / count)
    return torch.stack((angles[:, 0::2].sin(), angles[:, 1::2].cos()), dim=2).flatten(1)


def rows_and_columns(side: int, width: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """`[width, side, 1]` and `[width, 1, side]`, whose sum is the code of all pixels of a square.

    The first half of the channels tells the row, the second half the column.
    """
    code = waves(side, width // 2, dtype).t()
    nothing = torch.zeros_like(code)
    return torch.cat((code, nothing))[:, :, None], torch.cat((nothing, code))[:, None, :]
