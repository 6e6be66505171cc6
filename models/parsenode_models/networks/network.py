"""A whole network with the names of its published checkpoint, and the three parts that become graphs."""

import torch
from torch import Tensor, nn

from .backbone import Backbone
from .decoder_v1 import DecoderV1
from .decoder_v2 import DecoderV2
from .pixel_decoder import PixelDecoder
from .sizes import PIXEL_MEAN, PIXEL_STD, Size
from .text import embeddings

DECODERS = {"v1": DecoderV1, "v2": DecoderV2}


class Head(nn.Module):
    """Everything behind the backbone."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.pixel_decoder = PixelDecoder(size)
        self.predictor = DECODERS[size.generation](size)


class Network(nn.Module):
    """The tree of parameters. v2 keeps mean and standard deviation of pixels in the checkpoint, v1 does not."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.backbone = Backbone(size)
        self.sem_seg_head = Head(size)
        kept = size.generation == "v2"
        mean, std = torch.tensor(PIXEL_MEAN, device="cpu"), torch.tensor(PIXEL_STD, device="cpu")
        if kept:
            mean, std = mean.mean().expand(3).clone(), std.mean().expand(3).clone()
        self.register_buffer("pixel_mean", mean.view(1, 3, 1, 1), persistent=kept)
        self.register_buffer("pixel_std", std.view(1, 3, 1, 1), persistent=kept)

    def normalized(self, image: Tensor) -> Tensor:
        """0 to 255 → as the backbone wants it. v2 uses one mean for all three channels: they are neighbours."""
        if self.size.generation == "v2":
            return (image - self.pixel_mean.mean()) / self.pixel_std.mean()
        return (image - self.pixel_mean) / self.pixel_std


class ImageEncoder(nn.Module):
    """`image` `[1, 3, S, S]` → the features of a picture, in the order of `feature_names`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        head = self.network.sem_seg_head
        mask_features, levels = head.pixel_decoder(self.network.backbone(self.network.normalized(image)))
        features = head.predictor.features(mask_features, levels)
        return tuple(features[name] for name in feature_names(self.network.size))


class TextEncoder(nn.Module):
    """`input_ids` `[P, T]` → `token_emb` `[P, T, W]` and, in v1, `class_emb` `[P, W]`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        tokens, last = embeddings(*self.network.sem_seg_head.predictor.text(), input_ids)
        return (tokens, last) if self.network.size.generation == "v1" else (tokens,)


class MaskDecoder(nn.Module):
    """Features of a picture, the prompt, and in v2 noise → masks."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: list[Tensor], tokens: Tensor, others: list[Tensor]) -> tuple[Tensor, ...]:
        """`others`: `class_emb` in v1, `noise0` to `noise2` in v2."""
        predictor = self.network.sem_seg_head.predictor
        named = dict(zip(feature_names(self.network.size), features))
        if self.network.size.generation == "v1":
            return (predictor(named, tokens, others[0]),)
        return predictor(named, tokens, others)


def feature_names(size: Size) -> list[str]:
    """Names of the features, in the order of the image encoder's outputs."""
    layers = range(size.decoder_layers)
    kept = [f"{kind}{index}" for kind in ("key", "value") for index in layers]
    return ["mask_features", "masks0", "masks1", "masks2", *kept]
