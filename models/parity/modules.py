"""Our modules against upstream's, in PyTorch, with the same weights and inputs, one module after the other.

    python modules.py CHECKPOINT CHECKOUT [--double] [--seed N]

CHECKPOINT is of the published form (`python -m parsenode_models random --size full --checkpoint …` makes one with
random weights), CHECKOUT is upstream's repository. Each of our modules gets what upstream's module got. `--double`
computes both in float64: what then is left of a difference is no difference in what is computed.
"""

import argparse
import resource
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
import torch

import upstream
from parsenode_models import checkpoint
from parsenode_models.networks.network import Network
from parsenode_models.networks.position import rows_and_columns
from parsenode_models.networks.sizes import LEVELS
from parsenode_models.networks.text import embeddings

PROMPTS = ("liver in abdomen CT", "optic disc in retinal fundus")


def arguments() -> argparse.Namespace:
    """What may be typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def report(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """A line of the table: largest difference, and largest number."""
    difference = (ours - theirs.reshape(ours.shape)).abs().max().item()
    print(f"| {name} | {list(ours.shape)} | {difference:.2e} | {theirs.abs().max().item():.3g} |", flush=True)


def report_mask(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """The same, and the Dice of what is above zero."""
    report(name, ours, theirs)
    print(f"| {name}, Dice | | {dice(ours, theirs):.6f} | {(theirs > 0).double().mean().item():.3f} inside |")


def dice(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Of the masks above zero."""
    one, other = ours > 0, theirs.reshape(ours.shape) > 0
    return (2 * (one & other).sum() / (one.sum() + other.sum()).clamp(min=1)).item()


def picture(side: int, seed: int) -> torch.Tensor:
    """`[1, 3, S, S]`: a smooth random picture of whole numbers from 0 to 255."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 24, 24, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
    return (smooth.clamp(0, 1) * 255).floor()


def in_double(network: Network) -> Network:
    """Positions are computed anew: they would have float32's digits."""
    network = network.double()
    decoder, predictor = network.sem_seg_head.pixel_decoder, network.sem_seg_head.predictor
    if network.size.generation == "v2":
        return network  # upstream's v2 computes positions in float32 whatever the weights are
    rows, columns = rows_and_columns(decoder.sides[-1], network.size.width, torch.float64)
    decoder.position = (rows + columns).flatten(1).t().contiguous()
    for level in range(LEVELS):
        rows, columns = rows_and_columns(network.size.level_side(level), network.size.width, torch.float64)
        setattr(predictor, f"rows{level}", rows)
        setattr(predictor, f"columns{level}", columns)
    return network


def image_encoder(network: Network, theirs: torch.nn.Module, image: torch.Tensor):
    """Backbone and pixel decoder. Returns upstream's map for masks and levels."""
    normalized = network.normalized(image)
    maps = theirs.backbone(normalized)
    for index, (name, found) in enumerate(zip(maps, network.backbone(normalized))):
        report(f"backbone {name}", found.t().reshape(maps[name].shape), maps[name])
    mask_features, _, levels = theirs.sem_seg_head.pixel_decoder.forward_features(maps)
    flat = [maps[name].flatten(2).squeeze(0).t() for name in sorted(maps)]
    found_features, found_levels = network.sem_seg_head.pixel_decoder(flat)
    for level, found in enumerate(found_levels):
        report(f"pixel decoder ms{level}", found, levels[level])
    report("pixel decoder mask_features", found_features, mask_features)
    return mask_features, levels


def text(network: Network, encoder, prompt: str):
    """Text encoder. Returns upstream's embeddings of the prompt's own tokens, `[1, T, W]`, and of the whole, `[1, W]`."""
    theirs = encoder.get_text_token_embeddings([prompt], name="grounding", token=False, norm=False)
    length = int(theirs["tokens"]["attention_mask"].sum())
    ids = theirs["tokens"]["input_ids"][:, :length]
    tokens, whole = embeddings(*network.sem_seg_head.predictor.text(), ids)
    report(f"text encoder token_emb, {length} tokens", tokens, theirs["token_emb"][:, :length])
    report("text encoder class_emb", whole, theirs["class_emb"])
    return theirs["token_emb"][:, :length], theirs["class_emb"]


def decoder_v1(network: Network, predictor, mask_features, levels, tokens, whole) -> None:
    """Mask decoder of v1, for one prompt, in upstream's task "demo"."""
    extra = {"grounding_tokens": tokens.transpose(0, 1), "grounding_class": whole,
             "grounding_nonzero_mask": torch.zeros(tokens.shape[:2], dtype=torch.bool)}
    predictor.task_switch.update(spatial=False, visual=False, grounding=True, audio=False)
    theirs = predictor(levels, mask_features, extra=extra, task="demo")
    ours = network.sem_seg_head.predictor
    features = ours.features(mask_features, levels)
    queries = ours.decide(features, tokens)
    masks = ours.mask_embed(queries) @ features["mask_features"]
    report_mask("mask decoder, all queries", masks.reshape(theirs["pred_masks"].shape), theirs["pred_masks"])
    report("mask decoder, what queries say", queries @ ours.class_embed, theirs["pred_captions"])
    said = theirs["pred_captions"][0]
    said = said / (said.norm(dim=-1, keepdim=True) + 1e-7)
    wanted = whole / (whole.norm(dim=-1, keepdim=True) + 1e-7)
    best = int((said @ wanted.t()).squeeze(1).argmax())
    found = ours(features, tokens.transpose(0, 1), whole[None])
    print(f"| query chosen | | ours {int(ours.similarity(queries, whole).argmax())} | upstream {best} |")
    report_mask("mask_logits", found, theirs["pred_masks"][:, best])


def decoder_v2(network: Network, predictor, mask_features, levels, tokens, seed: int) -> None:
    """Mask decoder of v2, with noise that both get."""
    ours = network.sem_seg_head.predictor
    random = np.random.default_rng(seed)
    noise = [random.random(ours.noise_shape(level, tokens.shape[0]), dtype=np.float32) for level in range(LEVELS)]
    count = tokens.shape[0]
    with upstream.Noise([numbers[None] for numbers in noise]).given():
        theirs = predictor([level.expand(count, -1, -1, -1) for level in levels],
                           mask_features.expand(count, -1, -1, -1),
                           extra={"grounding_tokens": tokens.transpose(0, 1)})
    edges = network.size.edge_queries
    features = ours.features(mask_features, levels)
    given = [torch.from_numpy(numbers).to(tokens.dtype) for numbers in noise]
    mask, edge, existence = ours(features, tokens.transpose(0, 1), given)
    report_mask("mask_logits", mask, theirs["pred_gmasks"][:, :-edges].mean(1, keepdim=True))
    report_mask("edge_logits", edge, theirs["pred_gmasks"][:, -edges:].mean(1, keepdim=True))
    report("existence_logits", existence, theirs["object_existence"])


def main() -> None:
    """See the top of this file."""
    typed = arguments()
    torch.set_num_threads(2)
    network = checkpoint.read(typed.checkpoint, print)
    is_v1 = network.size.generation == "v1"
    whole = upstream.build_v1(typed.checkout) if is_v1 else upstream.build_v2(typed.checkout)
    theirs = whole.model if is_v1 else whole
    upstream.load(theirs, upstream.state_of(typed.checkpoint))
    predictor = theirs.sem_seg_head.predictor
    encoder = predictor.lang_encoder if is_v1 else predictor.language_encoder
    image = picture(network.size.side, typed.seed)
    widened = nullcontext()
    if typed.double:
        network, _, image = in_double(network), theirs.double(), image.double()
        widened = mock.patch.object(torch.Tensor, "float", torch.Tensor.double)
        for block in (encoder.lang_encoder if is_v1 else encoder.encoder_transformer).resblocks:
            block.attn_mask = block.attn_mask.double()  # no buffer, so left behind; PyTorch then adds it wrongly
    if is_v1:
        encoder.default_text_embeddings = torch.zeros(17, network.size.width, dtype=image.dtype)
    print("| module | shape | largest difference | largest number |\n|---|---|---|---|")
    with torch.no_grad(), widened:
        mask_features, levels = image_encoder(network, theirs, image)
        for prompt in PROMPTS:
            print(f"| *{prompt}* | | | |")
            tokens, last = text(network, encoder, prompt)
            if is_v1:
                decoder_v1(network, predictor, mask_features, levels, tokens, last)
            else:
                decoder_v2(network, predictor, mask_features, levels, tokens, typed.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\n{'float64' if typed.double else 'float32'}, PyTorch {torch.__version__}, peak memory {peak:.1f} GB")


if __name__ == "__main__":
    main()
