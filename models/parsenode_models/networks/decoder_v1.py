"""The mask decoder of v1: 101 queries, all for one prompt; the one that fits its text best draws the mask."""

import torch
from torch import Tensor, nn

from .blocks import FeedForward, MaskHead, SelfAttention
from .looking import Looking, hidden_where
from .sizes import LEVELS, Size
from .text import TextTransformer

# Added to a length before something is divided by it.
LENGTH_EPSILON = 1e-7


class TextEncoderV1(nn.Module):
    """Where v1 keeps its text encoder."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.lang_encoder = TextTransformer(size)
        self.lang_proj = nn.Parameter(torch.empty(size.width, size.width))


class DecoderV1(Looking):
    """See the top of this file."""

    def __init__(self, size: Size) -> None:
        super().__init__(size)
        self.lang_encoder = TextEncoderV1(size)
        self.transformer_self_attention_layers = nn.ModuleList(
            SelfAttention(size.width, size.heads) for _ in range(size.decoder_layers))
        self.transformer_ffn_layers = nn.ModuleList(
            FeedForward(size.width, size.feed_forward) for _ in range(size.decoder_layers))
        self.decoder_norm = nn.LayerNorm(size.width)
        self.query_feat = nn.Embedding(size.queries, size.width)
        self.query_embed = nn.Embedding(size.queries, size.width)
        self.mask_embed = MaskHead(size.width)
        self.class_embed = nn.Parameter(torch.empty(size.width, size.width))

    def text(self) -> tuple[TextTransformer, Tensor]:
        """The text encoder and its projection."""
        return self.lang_encoder.lang_encoder, self.lang_encoder.lang_proj

    def _hidden(self, queries: Tensor, coarse: Tensor) -> Tensor:
        """`[1, Q, H * W]`: hides where the mask so far is below one half."""
        logits = self.mask_embed(self.decoder_norm(queries)) @ coarse
        return hidden_where(logits.sigmoid() < 0.5, logits.dtype)

    def decide(self, features: dict[str, Tensor], tokens: Tensor) -> Tensor:
        """The queries, `[1, Q, W]`, after all layers. `tokens`: `[1, T, W]`."""
        position = self.query_embed.weight[None]
        places = torch.cat((position, tokens), dim=1)
        queries, text = self.query_feat.weight[None], tokens
        for index in range(self.size.decoder_layers):
            hidden = self._hidden(queries, features[f"masks{index % LEVELS}"])
            queries = self.look(index, queries, position, features, hidden)
            together = torch.cat((queries, text), dim=1)
            together = self.transformer_self_attention_layers[index](together, places)
            together = self.transformer_ffn_layers[index](together)
            queries, text = together[:, :self.size.queries], together[:, self.size.queries:]
        return self.decoder_norm(queries)

    def similarity(self, queries: Tensor, class_emb: Tensor) -> Tensor:
        """`[Q]`: the cosine between what a query says and the text, `[1, W]`."""
        said = queries[0] @ self.class_embed
        return (unit(said) * unit(class_emb)).sum(-1)

    def forward(self, features: dict[str, Tensor], tokens: Tensor, class_emb: Tensor) -> Tensor:
        """`mask_logits` `[1, M, M]`. `tokens`: `[T, 1, W]`; `class_emb`: `[1, 1, W]`."""
        queries = self.decide(features, tokens.transpose(0, 1))
        best = self.similarity(queries, class_emb[0]).argmax(0, keepdim=True)
        mask = self.mask_embed(queries[0].index_select(0, best)) @ features["mask_features"]
        return mask.unflatten(1, (self.size.mask_side(), -1))


def unit(vectors: Tensor) -> Tensor:
    """Vectors of length 1 in the last dimension."""
    return vectors / (vectors.norm(dim=-1, keepdim=True) + LENGTH_EPSILON)
