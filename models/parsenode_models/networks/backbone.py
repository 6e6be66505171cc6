"""FocalNet: from a picture to feature maps at strides 4, 8, 16 and 32.

Maps are `[H * W, C]` between blocks, so that the many linear layers are plain matrix products. The depthwise kernels
want channels first; the products around them are written so that they read and write that order without a copy.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import gelu
from .sizes import STRIDES, Size


class FocalModulation(nn.Module):
    """What surrounds a pixel, at several ranges, gathered by gates, modulates the pixel."""

    def __init__(self, channels: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.f = nn.Linear(channels, 2 * channels + len(kernels) + 1)
        self.h = nn.Conv2d(channels, channels, 1)
        self.proj = nn.Linear(channels, channels)
        self.focal_layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, k, padding=k // 2, groups=channels, bias=False))
            for k in kernels)

    def surroundings(self, pixels: Tensor, side: int) -> Tensor:
        """`[H * W, C]` → `[C, H * W]`: the sum over all ranges, each times its gate."""
        channels = self.proj.in_features
        context_and_gates = self.f.weight[channels:] @ pixels.t() + self.f.bias[channels:, None]
        context, gates = context_and_gates.split((channels, len(self.focal_layers) + 1))
        context = context.view(1, channels, side, side)
        gates = gates.view(-1, 1, side, side)
        gathered = None
        for layer, gate in zip(self.focal_layers, gates):
            context = gelu(layer(context))
            gathered = context * gate if gathered is None else gathered + context * gate
        everywhere = gelu(context.mean((2, 3), keepdim=True))
        return (gathered + everywhere * gates[-1]).view(channels, -1)

    def forward(self, pixels: Tensor, side: int) -> Tensor:
        """`[H * W, C]`; shape stays."""
        channels = self.proj.in_features
        query = functional.linear(pixels, self.f.weight[:channels], self.f.bias[:channels])
        weight = self.h.weight.flatten(1) / (len(self.focal_layers) + 1)
        modulator = self.surroundings(pixels, side).t() @ weight.t() + self.h.bias
        return self.proj(query * modulator)


class Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, pixels: Tensor) -> Tensor:
        """Shape stays."""
        return self.fc2(gelu(self.fc1(pixels)))


class Block(nn.Module):
    """Focal modulation, then the linear layers; each normalised behind, scaled by channel, and added."""

    def __init__(self, channels: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.modulation = FocalModulation(channels, kernels)
        self.norm1 = nn.LayerNorm(channels)
        self.gamma_1 = nn.Parameter(torch.empty(channels))
        self.mlp = Mlp(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.gamma_2 = nn.Parameter(torch.empty(channels))

    def forward(self, pixels: Tensor, side: int) -> Tensor:
        """`[H * W, C]`; shape stays."""
        pixels = pixels + scaled_norm(self.modulation(pixels, side), self.norm1, self.gamma_1)
        return pixels + scaled_norm(self.mlp(pixels), self.norm2, self.gamma_2)


def scaled_norm(pixels: Tensor, norm: nn.LayerNorm, scale: Tensor) -> Tensor:
    """Layer normalisation with the scale that follows folded into its own."""
    return functional.layer_norm(pixels, norm.normalized_shape, norm.weight * scale, norm.bias * scale, norm.eps)


class PatchEmbed(nn.Module):
    """A convolution with stride, and layer normalisation: into a stage."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.proj = convolution
        self.norm = nn.LayerNorm(convolution.out_channels)

    def forward(self, picture: Tensor) -> Tensor:
        """`[1, C, H, W]` → `[h * w, c]`."""
        return self.norm(self.proj(picture).squeeze(0).flatten(1).t())


class Stage(nn.Module):
    """Blocks at one stride."""

    def __init__(self, size: Size, stage: int) -> None:
        super().__init__()
        channels = size.channels(stage)
        self.blocks = nn.ModuleList(Block(channels, size.focal_kernels) for _ in range(size.depths[stage]))
        self.downsample = None
        if stage + 1 < len(size.depths):
            self.downsample = PatchEmbed(nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1))

    def forward(self, pixels: Tensor, side: int) -> Tensor:
        """`[H * W, C]`; shape stays."""
        for block in self.blocks:
            pixels = block(pixels, side)
        return pixels

    def onward(self, pixels: Tensor, side: int) -> Tensor:
        """`[H * W, C]` → `[H * W / 4, 2 C]`: into the next stage, if there is one."""
        if self.downsample is None:
            return pixels
        return self.downsample(pixels.t().reshape(1, -1, side, side))


class Backbone(nn.Module):
    """The whole: `[1, 3, S, S]`, normalised → four maps `[H * W, C]`, from fine to coarse."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.side = size.side
        self.patch_embed = PatchEmbed(nn.Conv2d(3, size.embed, 7, stride=STRIDES[0], padding=2))
        self.layers = nn.ModuleList(Stage(size, stage) for stage in range(len(size.depths)))
        for stage in range(len(size.depths)):
            self.add_module(f"norm{stage}", nn.LayerNorm(size.channels(stage)))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """See the class."""
        pixels = self.patch_embed(picture)
        maps = []
        for index, (stage, stride) in enumerate(zip(self.layers, STRIDES)):
            side = self.side // stride
            pixels = stage(pixels, side)
            maps.append(getattr(self, f"norm{index}")(pixels))
            pixels = stage.onward(pixels, side)
        return maps
