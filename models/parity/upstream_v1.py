"""Runs upstream's own inference of v1 on one picture, and writes what it says.

    python upstream_v1.py CHECKOUT CHECKPOINT PICTURE PROMPT... OUT.npz [--ct SITE] [--type TYPE --statistics FILE]

PICTURE is DICOM (`--ct SITE` for CT with the window of a site, nothing for other modalities) or PNG or JPEG. Its pixels
go through upstream's processing_utils, each prompt alone through interactive_infer_image. OUT.npz has `picture`
(uint8 `[1024, 1024, 3]`), `prompts`, `probabilities` (float32 `[P, 1024, 1024]`) and, with --type, `p_values`: of
targets that are named as the prompts, from a target_dist.json.
"""

import argparse
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import upstream


def arguments() -> argparse.Namespace:
    """What may be typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("prompts", nargs="+")
    parser.add_argument("out", type=Path)
    parser.add_argument("--ct", metavar="SITE", help="the picture is CT; upstream's window of this site")
    parser.add_argument("--type", help="as in target_dist.json, such as CT-Abdomen: p-values, too")
    parser.add_argument("--statistics", type=Path, help="the target_dist.json")
    return parser.parse_args()


def model_of(checkout: Path, file: Path):
    """Upstream's model with the weights of a checkpoint, ready to be asked."""
    model = upstream.build_v1(checkout)
    upstream.load(model.model, upstream.state_of(file))
    encoder = model.model.sem_seg_head.predictor.lang_encoder
    # Scores of the sixteen training classes are computed with these and used by nobody.
    encoder.default_text_embeddings = torch.zeros(17, 512)
    return model


def with_optional(name: str) -> None:
    """Upstream imports these for other formats; where they are missing, they stay empty."""
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)


def pixels(picture: Path, site: str | None) -> np.ndarray:
    """As upstream prepares them."""
    for name in ("nibabel", "SimpleITK"):
        with_optional(name)
    from inference_utils import processing_utils

    if picture.suffix.lower() in (".png", ".jpg", ".jpeg"):
        return processing_utils.read_rgb(str(picture))
    return processing_utils.read_dicom(str(picture), is_CT=site is not None, site=site)


def main() -> None:
    """See the top of this file."""
    typed = arguments()
    torch.set_num_threads(2)
    model = model_of(typed.checkout, typed.checkpoint)
    from inference_utils import inference, output_processing

    picture = pixels(typed.picture, typed.ct)
    found = {"picture": picture, "prompts": np.array(typed.prompts)}
    found["probabilities"] = np.concatenate(
        [inference.interactive_infer_image(model, Image.fromarray(picture), [prompt]) for prompt in typed.prompts])
    if typed.type:
        output_processing.get_target_dist = lambda: json.loads(typed.statistics.read_text())
        found["p_values"] = np.array([
            output_processing.check_mask_stats(picture, mask * 255, typed.type, prompt)
            for prompt, mask in zip(typed.prompts, found["probabilities"])])
    np.savez_compressed(typed.out, **found)
    for index, prompt in enumerate(typed.prompts):
        inside = (found["probabilities"][index] > 0.5).mean()
        extra = f", p {found['p_values'][index]:.4g}" if typed.type else ""
        print(f"{prompt}: {inside:.4f} of the pixels inside{extra}")


if __name__ == "__main__":
    main()
