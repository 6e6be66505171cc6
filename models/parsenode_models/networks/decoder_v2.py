"""The mask decoder of v2: 16 queries a prompt, whose mean is the mask; where they look is drawn by lot.

Which pixels a query may look at is sampled: a pixel is drawn with a probability that grows with the mask so far, the
more the further the layer. Upstream draws from a generator without seed; here the uniform numbers are inputs.
"""

import torch
from torch import Tensor, nn

from .blocks import CrossAttention, FeedForward, MaskHead, SelfAttention
from .looking import Looking, hidden_where
from .sizes import LEVELS, Size
from .text import TextTransformer

# So many pixels are drawn, as a part of all of a level.
SAMPLE_RATIO = 0.1


class TextEncoderV2(nn.Module):
    """Where v2 keeps its text encoder."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.encoder_transformer = TextTransformer(size)
        self.lang_proj = nn.Parameter(torch.empty(size.width, size.width))


class DecoderV2(Looking):
    """See the top of this file."""

    def __init__(self, size: Size) -> None:
        super().__init__(size)
        layers, width = range(size.decoder_layers), size.width
        self.language_encoder = TextEncoderV2(size)
        self.initial_self_attention_layer = SelfAttention(width, size.heads)
        self.initial_ffn_layer = FeedForward(width, size.feed_forward)
        self.transformer_self_attention_layers = nn.ModuleList(SelfAttention(width, size.heads) for _ in layers)
        self.transformer_ffn_layers = nn.ModuleList(FeedForward(width, size.feed_forward) for _ in layers)
        self.classifier_cross_attention_layers = nn.ModuleList(CrossAttention(width, size.heads) for _ in layers)
        self.classifier_ffn_layers = nn.ModuleList(FeedForward(width, size.feed_forward) for _ in layers)
        self.classifier = nn.Linear(width, 1)
        self.decoder_norm = nn.LayerNorm(width)
        self.query_feat_ = nn.Embedding(size.queries, width)
        self.query_embed_ = nn.Embedding(size.queries, width)
        self.classifier_query = nn.Embedding(1, width)
        self.mask_embed = MaskHead(width)

    def text(self) -> tuple[TextTransformer, Tensor]:
        """The text encoder and its projection."""
        return self.language_encoder.encoder_transformer, self.language_encoder.lang_proj

    def noise_shape(self, level: int, prompts: int) -> tuple[int, int, int, int]:
        """Shape of the input `noise…` of a level: heads of all its layers, prompts, queries, pixels."""
        layers = len(range(level, self.size.decoder_layers, LEVELS))
        return layers * self.size.heads, prompts, self.size.queries, self.size.level_side(level) ** 2

    def _hidden(self, index: int, queries: Tensor, coarse: Tensor, noise: Tensor) -> Tensor:
        """`[heads, n * Q, H * W]`: hides what was not drawn for layer `index`."""
        logits = self.mask_embed(self.decoder_norm(queries)) @ coarse
        temperature = 1 / (index + 1)
        chance = torch.exp(logits.sigmoid() / temperature)
        chance = chance / chance.sum(-1, keepdim=True)
        never_drawn = (1 - chance) ** int(coarse.shape[1] * SAMPLE_RATIO)
        first = index // LEVELS * self.size.heads
        blocked = noise[first:first + self.size.heads] < never_drawn
        return hidden_where(blocked.flatten(1, 2), logits.dtype)

    def decide(self, features: dict[str, Tensor], tokens: Tensor, noise: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The queries, `[n, Q, W]`, after all layers, and the existence, `[n, 1]`. `tokens`: `[n, T, W]`."""
        count = tokens.shape[0]
        position = self.query_embed_.weight.expand(count, -1, -1)
        places = torch.cat((position, tokens), dim=1)
        queries = self.query_feat_.weight.expand(count, -1, -1)
        existence = self.classifier_query.weight.expand(count, -1, -1)
        together = self.initial_self_attention_layer(torch.cat((queries, tokens), dim=1), places)
        queries, text = together[:, :self.size.queries], together[:, self.size.queries:]
        queries = self.initial_ffn_layer(queries)
        for index in range(self.size.decoder_layers):
            level = index % LEVELS
            hidden = self._hidden(index, queries, features[f"masks{level}"], noise[level])
            queries = self.look(index, queries, position, features, hidden)
            together = torch.cat((queries, text), dim=1)
            together = self.transformer_self_attention_layers[index](together, places)
            queries, text = together[:, :self.size.queries], together[:, self.size.queries:]
            queries = self.transformer_ffn_layers[index](queries)
            existence = self.classifier_cross_attention_layers[index](existence, together + places, together)
            existence = self.classifier_ffn_layers[index](existence)
        return self.decoder_norm(queries), self.classifier(existence[:, 0])

    def forward(self, features: dict[str, Tensor], tokens: Tensor,
                noise: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """`mask_logits` and `edge_logits` `[n, 1, M, M]`, `existence_logits` `[n, 1]`. `tokens`: `[T, n, W]`."""
        queries, existence = self.decide(features, tokens.transpose(0, 1), noise)
        weights = self.mask_embed(queries)
        masks = self.size.queries - self.size.edge_queries
        means = torch.stack((weights[:, :masks].mean(1), weights[:, masks:].mean(1)))
        mask, edge = (means @ features["mask_features"]).unflatten(2, (1, self.size.mask_side(), -1)).unbind(0)
        return mask, edge, existence
