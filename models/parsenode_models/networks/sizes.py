"""How large a network is: the published sizes and tiny ones for tests."""

from dataclasses import dataclass
from typing import Literal

Generation = Literal["v1", "v2"]

# Mean and standard deviation of R, G and B, from 0 to 255, with which the backbone was trained.
PIXEL_MEAN = (123.675, 116.280, 103.530)
PIXEL_STD = (58.395, 57.120, 57.375)
# The picture is divided by this much, one after the other: the levels that the mask decoder looks at are the last three.
STRIDES = (4, 8, 16, 32)
# How many of the levels the mask decoder looks at, from coarse to fine.
LEVELS = 3


@dataclass(frozen=True)
class Size:
    """All numbers that give the shapes of a network."""

    generation: Generation
    side: int
    """Rows and columns of the picture; a multiple of 32."""
    embed: int = 192
    """Channels of the first stage of the backbone; they double from stage to stage."""
    depths: tuple[int, ...] = (2, 2, 18, 2)
    """Blocks of each stage."""
    focal_kernels: tuple[int, ...] = (3, 5, 7, 9)
    """Sides of the depthwise kernels of a block, one after the other."""
    width: int = 512
    """Channels of everything behind the backbone, and of a token."""
    heads: int = 8
    feed_forward: int = 2048
    norm_groups: int = 32
    """Groups of the pixel decoder's normalisation."""
    encoder_layers: int = 6
    decoder_layers: int = 9
    queries: int = 101
    edge_queries: int = 0
    """How many of the queries, the last ones, draw edges in place of masks."""
    text_layers: int = 12
    vocabulary: int = 49408
    """Rows of the token table. Where there are fewer than tokens, token i takes row i modulo the rows."""
    context: int = 77

    def mask_side(self) -> int:
        """Rows and columns of a mask."""
        return self.side // STRIDES[0]

    def level_side(self, level: int) -> int:
        """Rows and columns of a level that the mask decoder looks at; 0 is the coarsest."""
        return self.side // STRIDES[-1 - level]

    def channels(self, stage: int) -> int:
        """Channels of a stage of the backbone, from 0."""
        return self.embed << stage


V1 = Size(generation="v1", side=1024)
V2 = Size(generation="v2", side=512, queries=16, edge_queries=4)

_TINY = {"side": 64, "embed": 4, "depths": (1, 1, 1, 1), "focal_kernels": (3, 5), "width": 16, "heads": 4,
         "feed_forward": 32, "norm_groups": 4, "encoder_layers": 1, "decoder_layers": 3, "text_layers": 1,
         "vocabulary": 128}
V1_TINY = Size(generation="v1", queries=8, **_TINY)
V2_TINY = Size(generation="v2", queries=6, edge_queries=2, **_TINY)

FULL = {"v1": V1, "v2": V2}
TINY = {"v1": V1_TINY, "v2": V2_TINY}
