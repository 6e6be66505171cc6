"""The text encoder: from the tokens of a prompt to what the mask decoder reads.

It does not know how text becomes tokens.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import Attention
from .sizes import Size

# Added to the variance before its root is taken.
NORM_EPSILON = 1e-12
# Slope of the sigmoid in the quick form of GELU.
QUICK_GELU = 1.702


class TextNorm(nn.LayerNorm):
    """Layer normalisation with next to nothing added to the variance."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=NORM_EPSILON)


class TextMlp(nn.Module):
    """Two linear layers with the quick form of GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape stays."""
        hidden = self.c_fc(tokens)
        return self.c_proj(hidden * torch.sigmoid(QUICK_GELU * hidden))


class TextBlock(nn.Module):
    """Each token looks at itself and the ones before it; normalised in front."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.ln_1 = TextNorm(size.width)
        self.attn = Attention(size.width, size.heads)
        self.ln_2 = TextNorm(size.width)
        self.mlp = TextMlp(size.width)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """`[P, T, W]`; shape stays."""
        normed = self.ln_1(tokens)
        tokens = tokens + self.attn(normed, normed, normed, bias)
        return tokens + self.mlp(self.ln_2(tokens))


class TextTransformer(nn.Module):
    """From identifiers `[P, T]`, T at most 77, to tokens `[P, T, W]`."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(size.vocabulary, size.width)
        self.positional_embedding = nn.Parameter(torch.empty(size.context, size.width))
        self.resblocks = nn.ModuleList(TextBlock(size) for _ in range(size.text_layers))
        self.ln_final = TextNorm(size.width)
        later = torch.full((size.context, size.context), float("-inf"), device="cpu").triu(1)
        self.register_buffer("later", later, persistent=False)
        self.wraps = size.vocabulary < 49408

    def forward(self, input_ids: Tensor) -> Tensor:
        """See the class."""
        length = input_ids.shape[1]
        rows = input_ids % self.token_embedding.num_embeddings if self.wraps else input_ids
        tokens = self.token_embedding(rows) + self.positional_embedding[:length]
        bias = self.later[:length, :length]
        for block in self.resblocks:
            tokens = block(tokens, bias)
        return self.ln_final(tokens)


def embeddings(transformer: TextTransformer, projection: Tensor, input_ids: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens `[P, T, W]`, and the last of each, which stands for the whole prompt, `[P, W]`."""
    tokens = transformer(input_ids) @ projection
    return tokens, tokens[:, -1]
