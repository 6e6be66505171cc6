"""Random weights that behave: activations neither vanish nor explode, and what comes out is worth a test.

Each tensor has its own random numbers, by its name and the seed; so the same name gets the same numbers whatever else
the network has. Two biases are then set by looking at what the network says of a test picture: about half of the
pixels get into masks, and prompts are split in those whose object exists and those whose does not.
"""

import zlib

import numpy as np
import torch
from torch import Tensor

from .networks.network import ImageEncoder, MaskDecoder, Network, TextEncoder
from .networks.sizes import LEVELS

# Weights of normalisation and of layer scale: around one, so that every layer says something.
SCALES = ("gamma_1", "gamma_2", "norm.weight", "norm0.weight", "norm1.weight", "norm2.weight", "norm3.weight",
          "ln_1.weight", "ln_2.weight", "ln_final.weight")
# Tables that are looked up rather than multiplied with.
TABLES = ("query_feat", "query_embed", "classifier_query", "level_embed", "token_embedding", "positional_embedding")
# Pixel statistics are facts, not weights.
KEPT = ("pixel_mean", "pixel_std")
# Prompts whose existence is looked at, tokens of each, and how far the differences between them are spread.
PROMPTS, TOKENS, SPREAD = 9, 6, 8
# Biases are rounded to this, so that another machine's last digits give the same file.
STEP = 1 / 16


def values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The random tensor of a name."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    normal = np.asarray(random.standard_normal(shape, dtype=np.float32))
    if any(part in name for part in TABLES):
        return normal
    if name.endswith(SCALES):
        return np.asarray(1 + normal / 8)
    if len(shape) < 2:
        return np.asarray(normal / 8)
    normal *= np.float32(1 / np.sqrt(np.prod(shape[1:])))
    return normal


def fill(network: Network, seed: int) -> None:
    """Gives a network random weights; it may have been made on the meta device but for its constants."""
    state = {}
    for name, tensor in network.state_dict().items():
        if name not in KEPT:
            state[name] = torch.from_numpy(values(name, tuple(tensor.shape), seed))
    network.load_state_dict(state, strict=False, assign=True)
    network.eval()
    with torch.no_grad():
        _balance(network)


def test_picture(side: int) -> Tensor:
    """`[1, 3, S, S]`, whole numbers from 0 to 255: a bright disc, stripes, and a slope; the same everywhere."""
    rows, columns = np.mgrid[0:side, 0:side] / side
    disc = 160.0 * ((rows - 0.4) ** 2 + (columns - 0.55) ** 2 < 0.08)
    stripes = 48.0 * (np.floor(columns * 8) % 2)
    slope = 40.0 * rows
    channels = np.stack([disc + slope, disc + stripes, stripes + slope + disc / 2])
    return torch.from_numpy(np.floor(channels).astype(np.float32))[None]


def test_prompts(count: int) -> Tensor:
    """`[count, T]`: made-up prompts, all of the same length."""
    ids = np.random.default_rng(0).integers(256, 49000, (count, TOKENS))
    ids[:, 0], ids[:, -1] = 49406, 49407
    return torch.from_numpy(ids)


def _balance(network: Network) -> None:
    head = network.sem_seg_head
    features = list(ImageEncoder(network)(test_picture(network.size.side)))
    mean = _rounded(features[0].mean(1))
    head.pixel_decoder.mask_features.bias.sub_(mean)
    for index in range(1 + LEVELS):
        features[index] = features[index] - mean[:, None]
    if network.size.generation == "v2":
        existence = _existence(network, features)
        classifier = head.predictor.classifier
        classifier.weight.mul_(SPREAD)
        classifier.bias.copy_(_rounded(-SPREAD * (existence.median() - classifier.bias)))


def _existence(network: Network, features: list[Tensor]) -> Tensor:
    tokens = TextEncoder(network)(test_prompts(PROMPTS))[0].transpose(0, 1)
    random = np.random.default_rng(1)
    shapes = [network.sem_seg_head.predictor.noise_shape(level, PROMPTS) for level in range(LEVELS)]
    noise = [torch.from_numpy(random.random(shape, dtype=np.float32)) for shape in shapes]
    return MaskDecoder(network)(features, tokens, noise)[2]


def _rounded(numbers: Tensor) -> Tensor:
    return (numbers / STEP).round() * STEP
