"""The model folder: what lies in it, with checksums, and the three graphs as one thing that answers prompts."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .graphs import FEATURES, FILES
from .pictures import SIDE, WINDOW_HIGH_HU, WINDOW_LOW_HU
from .tokenizer import Tokenizer

FOLDER = Path(__file__).resolve().parents[2] / "organs-ct-mr"
STATISTICS = "target_dist.json"
BYTES_MAX = 12_000_000

HEAD = """\
# Organs of the trunk in CT and MR by text prompt: the promptable model that comes with parsenode, to try the whole path with.
# `python -m parsenode_models.reference train` makes it. README.md says what it learnt from, and how little. Not for clinical use.
format = 1

[model]
name = "organs-ct-mr"
version = "1"
title = "Organs in CT and MR, reference model"
manufacturer = "parsenode"
licence = "MIT OR Apache-2.0"
kind = "prompt"
modalities = ["CT", "MR"]

[prompt]
generation = "v2"
side = {side}
vocabulary = "own"
tokenizer = "clip"
p_least = 0.0
turn = "none"
"""


def checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_manifest(folder: Path, targets: list[tuple[str, list[str]]]) -> None:
    """Writes `model.toml` for the files that lie in the folder."""
    text = HEAD.format(side=SIDE)
    for key, name in [*FILES.items(), ("statistics", STATISTICS)]:
        text += f'\n[files.{key}]\nfile = "{name}"\nsha256 = "{checksum(folder / name)}"\n'
    text += f'\n[[window]]\nname = "trunk"\nlow_hu = {WINDOW_LOW_HU:.0f}\nhigh_hu = {WINDOW_HIGH_HU:.0f}\n'
    for name, modalities in targets:
        listed = ", ".join(f'"{modality}"' for modality in modalities)
        text += f'\n[[target]]\nname = "{name}"\nmodalities = [{listed}]\n'
    (folder / "model.toml").write_text(text)


def manifest(folder: Path = FOLDER) -> dict:
    return tomllib.loads((folder / "model.toml").read_text())


def declared(folder: Path = FOLDER) -> list[tuple[str, list[str]]]:
    """Targets and modalities that the model says it knows."""
    return [(target["name"], target["modalities"]) for target in manifest(folder)["target"]]


class Model:
    """The graphs of a folder, one thread."""

    def __init__(self, folder: Path = FOLDER, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = {
            key: onnxruntime.InferenceSession(folder / name, options, providers=["CPUExecutionProvider"])
            for key, name in FILES.items()
        }
        self.image, self.text, self.mask = session["image_encoder"], session["text_encoder"], session["mask_decoder"]
        self.tokenizer = Tokenizer()

    def tokens(self, prompt: str) -> np.ndarray:
        """`[T, 1, W]`."""
        ids = np.array([self.tokenizer(prompt)], np.int64)
        return self.text.run(["token_emb"], {"input_ids": ids})[0].transpose(1, 0, 2)

    def features(self, image: torch.Tensor) -> dict[str, np.ndarray]:
        """Of one picture `[3, S, S]`."""
        return dict(zip(FEATURES, self.image.run(FEATURES, {"image": image[None].numpy()}), strict=True))

    def answer(self, features: dict[str, np.ndarray], tokens: np.ndarray) -> tuple[torch.Tensor, float]:
        """Logits `[M, M]` and the probability that it is there."""
        mask, exists = self.mask.run(["mask_logits", "existence_logits"], {**features, "tokens": tokens})
        return torch.from_numpy(mask[0, 0]), float(torch.sigmoid(torch.tensor(exists[0, 0])))


def faults(folder: Path = FOLDER) -> list[str]:
    """What is wrong with the committed files; empty when they are what the manifest says and small enough."""
    found, total = [], 0
    for key, entry in manifest(folder)["files"].items():
        file = folder / entry["file"]
        if not file.is_file():
            found.append(f"files.{key}: {file.name} is missing")
            continue
        total += file.stat().st_size
        if checksum(file) != entry["sha256"]:
            found.append(f"files.{key}: {file.name} has another SHA-256")
    if total > BYTES_MAX:
        found.append(f"{total} bytes, {BYTES_MAX} at most")
    return found or graph_faults(folder)


def graph_faults(folder: Path) -> list[str]:
    """Runs the graphs once, without the vocabulary of CLIP."""
    sessions = {
        key: onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
        for key, name in FILES.items()
    }
    features = dict(
        zip(
            FEATURES,
            sessions["image_encoder"].run(FEATURES, {"image": np.zeros((1, 3, SIDE, SIDE), np.float32)}),
            strict=True,
        )
    )
    found = []
    for length, count in [(3, 1), (9, 2), (77, 1)]:
        ids = np.full((count, length), 49407, np.int64)
        tokens = sessions["text_encoder"].run(["token_emb"], {"input_ids": ids})[0]
        mask, exists = sessions["mask_decoder"].run(
            ["mask_logits", "existence_logits"], {**features, "tokens": tokens.transpose(1, 0, 2)}
        )
        if mask.shape != (count, 1, SIDE // 2, SIDE // 2) or exists.shape != (count, 1):
            found.append(f"{count} prompts of {length}: {mask.shape} and {exists.shape}")
        if not (np.isfinite(mask).all() and np.isfinite(exists).all()):
            found.append(f"{count} prompts of {length}: an answer is no number")
    return found
