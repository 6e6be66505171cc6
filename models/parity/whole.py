"""Asks our graphs what upstream_v1.py or upstream_v2.py asked upstream, and compares.

    python whole.py OUT.npz FOLDER

OUT.npz is what one of them wrote: pixels as the model got them, prompts, in v2 noise (run with --alone), and answers.
"""

import sys
from pathlib import Path

import numpy as np
import torch

import upstream
from modules import dice
from parsenode_models.graphs import NAMES
from parsenode_models.sessions import run, session

SIDE_V1 = 1024


def channels(images: np.ndarray, index: int) -> np.ndarray:
    """`[1, 3, S, S]`: this slice, the one before, the one after; at the ends the one on the other side."""
    last = len(images) - 1
    before, after = (index - 1 if index else min(1, last)), (index + 1 if index < last else max(last - 1, 0))
    return images[[index, before, after]].astype(np.float32)[None]


def embedded(embed, prompt: str) -> dict[str, np.ndarray]:
    """The inputs of the mask decoder that come of a prompt."""
    found = run(embed, {"input_ids": np.array([upstream.tokenizer()(prompt)["input_ids"]])})
    inputs = {"tokens": found["token_emb"].transpose(1, 0, 2)}
    return inputs | ({"class_emb": found["class_emb"][None]} if "class_emb" in found else {})


def line(what: str, ours: np.ndarray, theirs: np.ndarray, more: str = "") -> None:
    """A line of the table; masks are above zero inside."""
    overlap = dice(torch.from_numpy(ours), torch.from_numpy(theirs))
    print(f"| {what} | {overlap:.6f} | {(theirs > 0).mean():.3f} | {np.abs(ours - theirs).max():.2e} | {more} |")


def compare_v1(asked, encode, embed, decode) -> None:
    """Probabilities on the network's picture, minus one half."""
    features = run(encode, {"image": asked["picture"].transpose(2, 0, 1)[None].astype(np.float32)})
    for prompt, theirs in zip(asked["prompts"], asked["probabilities"]):
        logits = run(decode, features | embedded(embed, str(prompt)))["mask_logits"]
        ours = torch.nn.functional.interpolate(torch.from_numpy(logits)[None], size=(SIDE_V1,) * 2, mode="bilinear")
        line(str(prompt), ours.sigmoid()[0, 0].numpy() - 0.5, theirs - 0.5)


def compare_v2(asked, encode, embed, decode) -> None:
    """Logits of mask and existence, slice by slice."""
    for index in range(len(asked["images"])):
        features = run(encode, {"image": channels(asked["images"], index)})
        for number, prompt in enumerate(asked["prompts"]):
            noise = {f"noise{level}": asked[f"noise{level}"][index][:, number:number + 1] for level in range(3)}
            found = run(decode, features | noise | embedded(embed, str(prompt)))
            difference = abs(found["existence_logits"].item() - asked["existence_logits"][number, index])
            line(f"slice {index}, {prompt}", found["mask_logits"][0, 0], asked["mask_logits"][number, index],
                 f"{difference:.1e}")


def main(out: str, folder: str) -> None:
    """See the top of this file."""
    with np.load(out) as file:
        asked = {name: file[name] for name in file.files}
    graphs = [session(Path(folder) / f"{name}.onnx") for name in NAMES]
    print("| asked | Dice | inside | largest difference | of existence |\n|---|---|---|---|---|")
    (compare_v1 if "picture" in asked else compare_v2)(asked, *graphs)


if __name__ == "__main__":
    main(*sys.argv[1:])
