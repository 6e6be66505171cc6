"""Attention and feed-forward: what the transformers of all parts are made of.

Sequences are `[n, L, W]`: n of them, L long, W wide. This file does not know what the sequences are about.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def gelu(numbers: Tensor) -> Tensor:
    """GELU, multiplied in the order in which ONNX Runtime knows it again and makes one step of it."""
    return numbers * (1 + torch.erf(numbers / math.sqrt(2))) * 0.5


class Attention(nn.Module):
    """Attention of several heads, with the weights for query, key and value in one table."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def weights(self, part: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of query (0), key (1) or value (2)."""
        width = self.out_proj.in_features
        rows = slice(part * width, (part + 1) * width)
        return self.in_proj_weight[rows], self.in_proj_bias[rows]

    def project(self, sequences: Tensor, part: int) -> Tensor:
        """`[n, L, W]` → `[n, heads, L, W / heads]`."""
        return self.split(functional.linear(sequences, *self.weights(part)))

    def split(self, projected: Tensor) -> Tensor:
        """`[n, L, W]` → `[n, heads, L, W / heads]`."""
        return projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def scale(self) -> float:
        """What the product of query and key is multiplied with."""
        return (self.out_proj.in_features // self.heads) ** -0.5

    def merge(self, heads: Tensor) -> Tensor:
        """`[n, heads, L, W / heads]` → `[n, L, W]`, projected."""
        return self.out_proj(heads.transpose(1, 2).flatten(2))

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
        """`bias`, `[L, L]`, is added to the scores."""
        query = self.project(queries, 0) * self.scale()
        scores = query @ self.project(keys, 1).transpose(-1, -2)
        if bias is not None:
            scores = scores + bias
        return self.merge(scores.softmax(-1) @ self.project(values, 2))


class SelfAttention(nn.Module):
    """A layer in which each token looks at all tokens of its sequence; normalised behind."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, position: Tensor) -> Tensor:
        """`position` is added where tokens are compared, not to what they say."""
        placed = tokens + position
        return self.norm(tokens + self.self_attn(placed, placed, tokens))


class CrossAttention(nn.Module):
    """A layer in which tokens look at something else; normalised behind."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.multihead_attn = Attention(width, heads)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Keys and values as sequences, not yet projected."""
        return self.norm(tokens + self.multihead_attn(tokens, keys, values))


class FeedForward(nn.Module):
    """Two linear layers with a rectifier between them; normalised behind."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape stays."""
        return self.norm(tokens + self.linear2(functional.relu(self.linear1(tokens))))


class MaskHead(nn.Module):
    """Three linear layers with rectifiers between them: from a query to the weights of its mask."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(3))

    def forward(self, queries: Tensor) -> Tensor:
        """Shape stays."""
        first, second, third = self.layers
        return third(functional.relu(second(functional.relu(first(queries)))))
