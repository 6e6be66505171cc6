"""Random shapes: where each pixel of a training picture is taken from. Left and right are never exchanged."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F


@dataclass
class Geometry:
    """An affine map and two fields of displacement, in units of half the picture's side."""

    matrix: torch.Tensor  # [2, 3]
    fields: list[torch.Tensor]  # each [1, 2, k, k]

    def grid(self, side: int, rows: int, columns: int) -> torch.Tensor:
        """`[1, side, side, 2]` for `grid_sample` of a picture of these rows and columns, padded to a square."""
        line = (torch.arange(side) + 0.5) / side * 2 - 1
        place = torch.stack([line.expand(side, side), line[:, None].expand(side, side)])[None]
        for field in self.fields:
            place = place + F.interpolate(field, size=(side, side), mode="bicubic", align_corners=True)
        place = torch.einsum("ij,njhw->nhwi", self.matrix[:, :2], place) + self.matrix[:, 2]
        square = max(rows, columns)
        return place * torch.tensor([square / columns, square / rows])


def random_geometry(random: np.random.Generator, strong: bool) -> Geometry:
    """Turned by up to 15°, scaled 0.7 to 1.4, shifted, bent; `strong` bends more, for synthetic pictures."""
    angle = np.deg2rad(random.uniform(-15, 15))
    scale = np.exp(random.uniform(np.log(0.7), np.log(1.4)))
    stretch = np.exp(random.uniform(-0.12, 0.12))
    shear = random.uniform(-0.1, 0.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[stretch, shear], [0, 1 / stretch]]) / scale
    shift = random.uniform(-0.15, 0.15, 2) * (1 if random.random() < 0.8 else 2)
    amount = 1.5 if strong else 1.0
    fields = [
        amount * random.uniform(0, 0.07) * random.standard_normal((1, 2, 5, 5)),
        amount * random.uniform(0, 0.02) * random.standard_normal((1, 2, 11, 11)),
    ]
    return Geometry(
        torch.tensor(np.column_stack([matrix, shift]), dtype=torch.float32),
        [torch.tensor(field, dtype=torch.float32) for field in fields],
    )


def sampled(picture: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """`[c, rows, columns]` taken where the grid says; 0 outside."""
    return F.grid_sample(picture[None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0]
