"""How queries look at a picture: what both mask decoders share.

The picture's side of attention, keys and values, does not depend on the prompt. `Looking.features` computes it once a
picture, for all layers; `look` is what is left for each prompt.

A mask is the product of a query with the map for masks. Where a layer only asks which pixels of a coarse level a query
may look at, the map is made coarse first and multiplied then: both are linear, so the order does not matter.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import CrossAttention
from .position import rows_and_columns
from .sizes import LEVELS, Size


class Looking(nn.Module):
    """The layers of cross-attention of a mask decoder, and what they look at."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.transformer_cross_attention_layers = nn.ModuleList(
            CrossAttention(size.width, size.heads) for _ in range(size.decoder_layers))
        self.level_embed = nn.Embedding(LEVELS, size.width)
        for level in range(LEVELS):
            rows, columns = rows_and_columns(size.level_side(level), size.width)
            self.register_buffer(f"rows{level}", rows, persistent=False)
            self.register_buffer(f"columns{level}", columns, persistent=False)

    def features(self, mask_features: Tensor, levels: list[Tensor]) -> dict[str, Tensor]:
        """Everything that a prompt needs of a picture, by name.

        `mask_features` `[W, M * M]`; `masks0` to `masks2` `[W, H * W]`, the same at the sides of the levels;
        `key0`, … `[heads, W / heads, H * W]` and `value0`, … `[heads, H * W, W / heads]`, one a layer.
        """
        named = {"mask_features": mask_features.squeeze(0).flatten(1)}
        for level in range(LEVELS):
            side = self.size.level_side(level)
            coarse = functional.interpolate(mask_features, size=(side, side), mode="bilinear", align_corners=False)
            named[f"masks{level}"] = coarse.squeeze(0).flatten(1)
        for level, picture in enumerate(levels):
            named.update(self._keys_and_values(level, picture.squeeze(0)))
        return named

    def _keys_and_values(self, level: int, picture: Tensor) -> dict[str, Tensor]:
        memory = picture + self.level_embed.weight[level][:, None, None]
        placed = memory + getattr(self, f"rows{level}") + getattr(self, f"columns{level}")
        memory, placed = memory.flatten(1), placed.flatten(1)
        named = {}
        for index in range(level, self.size.decoder_layers, LEVELS):
            attention = self.transformer_cross_attention_layers[index].multihead_attn
            weight, bias = attention.weights(1)
            named[f"key{index}"] = (weight @ placed + bias[:, None]).unflatten(0, (attention.heads, -1))
            weight, bias = attention.weights(2)
            values = memory.t() @ weight.t() + bias
            named[f"value{index}"] = values.unflatten(1, (attention.heads, -1)).transpose(0, 1).contiguous()
        return named

    def look(self, index: int, tokens: Tensor, position: Tensor, features: dict[str, Tensor], hidden: Tensor) -> Tensor:
        """Layer `index`, for queries `[n, Q, W]`. `hidden`: `[heads or 1, n * Q, H * W]`, as `hidden_where` makes it."""
        layer = self.transformer_cross_attention_layers[index]
        attention = layer.multihead_attn
        count = tokens.shape[0]
        query = attention.project(tokens + position, 0) * attention.scale()
        scores = query.transpose(0, 1).flatten(1, 2) @ features[f"key{index}"] + hidden
        seen = scores.softmax(-1) @ features[f"value{index}"]
        seen = seen.unflatten(1, (count, -1)).transpose(0, 1)
        return layer.norm(tokens + attention.merge(seen))


def hidden_where(blocked: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to scores: minus infinity where a query may not look, otherwise 0.

    A row that is blocked everywhere is open everywhere.
    """
    closed = blocked & ~blocked.all(-1, keepdim=True)
    return torch.zeros((), dtype=dtype).masked_fill(closed, float("-inf"))
