"""Runs upstream's own inference of v2 on a volume, and writes what it says.

    python upstream_v2.py CHECKOUT CHECKPOINT VOLUME PROMPT... OUT.npz [--noise FILE] [--seed N] [--alone]

VOLUME is an .npz with `imgs`, `[D, H, W]` from 0 to 255, or a folder of DICOM slices with `--window LOW HIGH` in
modality units. It goes through the functions of upstream's inference.py. OUT.npz has `prompts`, `mask_logits` and
`edge_logits` `[P, D, 128, 128]`, `existence_logits` `[P, D]`, `probabilities` `[P, D, 512, 512]` after suppression,
`labels` as the volume: the number of the prompt, from 1; `images` `[D, 512, 512]` as the model got them.

Noise: `noise0` to `noise2`, `[D, 24, P, 16, pixels]`, uniform in [0, 1), are taken from --noise, or drawn with --seed;
they are in OUT.npz, too. `--alone` asks for each prompt in a call of its own: upstream pads shorter prompts to the
longest of a call and lets what is padded change the answer; a prompt alone has nothing of it.
"""

import argparse
import importlib
from pathlib import Path
from unittest import mock

import numpy as np
import pydicom
import torch

import upstream

SIDE, QUERIES, LAYERS_A_LEVEL = 512, 16, 3


def arguments() -> argparse.Namespace:
    """What may be typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("volume", type=Path)
    parser.add_argument("prompts", nargs="+")
    parser.add_argument("out", type=Path)
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--window", type=float, nargs=2, metavar=("LOW", "HIGH"))
    parser.add_argument("--slices", type=int, nargs=2, metavar=("FIRST", "END"), help="only these, from 0")
    return parser.parse_args()


def volume_of(path: Path, window: tuple[float, float] | None) -> np.ndarray:
    """`[D, H, W]`, uint8."""
    if path.is_file():
        return np.load(path, allow_pickle=False)["imgs"]
    slices = [pydicom.dcmread(file) for file in sorted(path.rglob("*")) if file.is_file()]
    rows, columns = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    slices.sort(key=lambda one: float(np.dot(np.cross(rows, columns), np.array(one.ImagePositionPatient, float))))
    low, high = window
    values = np.stack([one.pixel_array * float(one.get("RescaleSlope", 1)) + float(one.get("RescaleIntercept", 0))
                       for one in slices])
    return ((values.clip(low, high) - low) / (high - low) * 255).astype(np.uint8)


def noise_of(file: Path | None, seed: int, slices: int, prompts: int) -> list[np.ndarray]:
    """One array a level."""
    if file is not None:
        given = np.load(file, allow_pickle=False)
        return [given[f"noise{level}"] for level in range(upstream.LEVELS)]
    random = np.random.default_rng(seed)
    return [random.random((slices, LAYERS_A_LEVEL * upstream.HEADS, prompts, QUERIES, (SIDE // stride) ** 2),
                          dtype=np.float32) for stride in (32, 16, 8)]


def ask(model, images: torch.Tensor, prompts: list[str], noise: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """Upstream's model, as inference.py asks it."""
    # Embeddings of the training classes take minutes each time and reach no output.
    skipped = mock.patch.object(type(model.sem_seg_head.predictor.language_encoder), "get_text_embeddings")
    with torch.no_grad(), skipped, upstream.Noise(noise).given():
        asked = {"image": images.unsqueeze(0), "text": ["[SEP]".join(prompts)]}
        return model(asked, mode="eval", slice_batch_size=4)["predictions"]


def main() -> None:
    """See the top of this file."""
    typed = arguments()
    torch.set_num_threads(2)
    model = upstream.build_v2(typed.checkout)
    upstream.load(model, upstream.state_of(typed.checkpoint))
    theirs = importlib.import_module("inference")
    volume = volume_of(typed.volume, typed.window)
    volume = volume[slice(*typed.slices)] if typed.slices else volume
    images, pad_width, padded_size, axis = theirs.process_input(volume, SIDE)
    images = images.int()
    noise = noise_of(typed.noise, typed.seed, images.shape[0], len(typed.prompts))
    groups = [[index] for index in range(len(typed.prompts))] if typed.alone else [list(range(len(typed.prompts)))]
    found = [ask(model, images, [typed.prompts[index] for index in group], [level[:, :, group] for level in noise])
             for group in groups]
    joined = {name: torch.cat([one[name] for one in found])
              for name in ("pred_gmasks", "edge_masks", "object_existence")}
    masks = torch.nn.functional.interpolate(joined["pred_gmasks"], size=(SIDE, SIDE), mode="bicubic",
                                            align_corners=False, antialias=True)
    probabilities = theirs.postprocess(masks, joined["object_existence"])
    labels = theirs.merge_multiclass_masks(probabilities, list(range(1, len(typed.prompts) + 1)))
    labels = theirs.process_output(labels, pad_width, padded_size, axis)
    drawn = {f"noise{level}": numbers for level, numbers in enumerate(noise)}
    np.savez_compressed(
        typed.out, prompts=np.array(typed.prompts), images=images.numpy(), mask_logits=joined["pred_gmasks"].numpy(),
        edge_logits=joined["edge_masks"].numpy(), existence_logits=joined["object_existence"].numpy(),
        probabilities=probabilities.numpy(), labels=labels, **drawn)
    for index, prompt in enumerate(typed.prompts):
        print(f"{prompt}: existence {joined['object_existence'][index].tolist()}, "
              f"{(labels == index + 1).mean():.4f} of the voxels")


if __name__ == "__main__":
    main()
