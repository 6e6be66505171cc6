"""From the maps of the backbone to those that masks are made of: a transformer at stride 32, then finer and finer."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import Attention
from .position import rows_and_columns
from .sizes import STRIDES, Size


class NormedConv(nn.Module):
    """A convolution without bias, and group normalisation."""

    def __init__(self, channels: int, size: Size, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size.width, channels, kernel, kernel))
        self.norm = nn.GroupNorm(size.norm_groups, size.width)

    def of_pixels(self, pixels: Tensor, side: int) -> Tensor:
        """For a kernel of one pixel: `[H * W, C]` → `[1, W, H, W]`."""
        return self.norm((self.weight.flatten(1) @ pixels.t()).view(1, -1, side, side))

    def forward(self, picture: Tensor) -> Tensor:
        """For a kernel of three pixels, rectified: `[1, C, H, W]` → `[1, W, H, W]`."""
        return functional.relu(self.norm(functional.conv2d(picture, self.weight, padding=1)))


class EncoderLayer(nn.Module):
    """A layer of the transformer at stride 32: every pixel looks at every pixel."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.self_attn = Attention(size.width, size.heads)
        self.linear1 = nn.Linear(size.width, size.feed_forward)
        self.linear2 = nn.Linear(size.feed_forward, size.width)
        self.norm1 = nn.LayerNorm(size.width)
        self.norm2 = nn.LayerNorm(size.width)

    def forward(self, pixels: Tensor, position: Tensor) -> Tensor:
        """`[1, H * W, W]`; shape stays."""
        placed = pixels + position
        pixels = self.norm1(pixels + self.self_attn(placed, placed, pixels))
        return self.norm2(pixels + self.linear2(functional.relu(self.linear1(pixels))))


class Encoder(nn.Module):
    """The layers of the transformer at stride 32."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(size) for _ in range(size.encoder_layers))

    def forward(self, pixels: Tensor, position: Tensor) -> Tensor:
        """`[1, H * W, W]`; shape stays."""
        for layer in self.layers:
            pixels = layer(pixels, position)
        return pixels


class Transformer(nn.Module):
    """Holds the encoder; there is no decoder."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(size)


class PixelDecoder(nn.Module):
    """The whole: four maps from fine to coarse → map for masks `[1, W, M, M]`, and the levels 32, 16, 8."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.sides = [size.side // stride for stride in STRIDES]
        coarsest = len(STRIDES)
        for number in range(1, coarsest):
            self.add_module(f"adapter_{number}", NormedConv(size.channels(number - 1), size, 1))
            self.add_module(f"layer_{number}", NormedConv(size.width, size, 3))
        self.add_module(f"layer_{coarsest}", NormedConv(size.width, size, 3))
        self.input_proj = nn.Conv2d(size.channels(coarsest - 1), size.width, 1)
        self.transformer = Transformer(size)
        self.mask_features = nn.Conv2d(size.width, size.width, 3, padding=1)
        rows, columns = rows_and_columns(self.sides[-1], size.width)
        self.register_buffer("position", (rows + columns).flatten(1).t().contiguous(), persistent=False)

    def coarse(self, pixels: Tensor) -> Tensor:
        """The coarsest map, through the transformer: `[H * W, C]` → `[1, W, H, W]`."""
        projected = functional.linear(pixels, self.input_proj.weight.flatten(1), self.input_proj.bias)
        seen = self.transformer.encoder(projected.unsqueeze(0), self.position)
        return seen.squeeze(0).t().reshape(1, -1, self.sides[-1], self.sides[-1])

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """See the class."""
        picture = getattr(self, f"layer_{len(maps)}")(self.coarse(maps[-1]))
        levels = [picture]
        for number in range(len(maps) - 1, 0, -1):
            lateral = getattr(self, f"adapter_{number}").of_pixels(maps[number - 1], self.sides[number - 1])
            picture = lateral + functional.interpolate(picture, scale_factor=2.0, mode="nearest")
            picture = getattr(self, f"layer_{number}")(picture)
            levels.append(picture)
        return self.mask_features(picture), levels[:-1]
