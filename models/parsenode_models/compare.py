"""Whether two model folders are the same: byte for byte, or, where another release of PyTorch writes graphs otherwise,
in what their graphs answer."""

import tomllib
from pathlib import Path

import numpy as np

from . import graphs
from .folder import MANIFEST, sha256
from .networks.sizes import LEVELS, Size
from .random_weights import test_picture, test_prompts
from .sessions import InferenceSession, Tensors, run, session

# Largest difference between two answers to the same input, relative to the largest answer.
TOLERANCE = 1e-4


def folders(known: Path, made: Path, size: Size) -> str | None:
    """What is different, in words; nothing when `known` is as `made`."""
    names = sorted(path.name for path in made.iterdir())
    if not known.is_dir() or sorted(path.name for path in known.iterdir()) != names:
        return "other files"
    if all((known / name).read_bytes() == (made / name).read_bytes() for name in names):
        return None
    if _without_sums(known / MANIFEST) != _without_sums(made / MANIFEST):
        return f"another {MANIFEST}"
    return _other_sums(known) or _other_answers(answers(known, size), answers(made, size))


def _other_sums(folder: Path) -> str | None:
    """Whether the checksums of a folder are those of its own files."""
    listed = tomllib.loads((folder / MANIFEST).read_text())["files"].values()
    wrong = [file["file"] for file in listed if sha256(folder / file["file"]) != file["sha256"]]
    return f"checksums that are not those of {', '.join(wrong)}" if wrong else None


def _without_sums(manifest: Path) -> list[str]:
    return [line for line in manifest.read_text().splitlines() if not line.startswith("sha256")]


def _other_answers(known: Tensors, made: Tensors) -> str | None:
    if known.keys() != made.keys():
        return f"outputs {', '.join(sorted(known.keys() ^ made.keys()))}"
    for name, wanted in made.items():
        found = known[name]
        if found.shape != wanted.shape:
            return f"another shape of {name}"
        difference = np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1.0)
        if not difference <= TOLERANCE:
            return f"{name} by {difference:.2g}"
    return None


def answers(folder: Path, size: Size) -> Tensors:
    """What the graphs of a folder say of the test picture and a test prompt."""
    image, text, decoder = (session(folder / f"{name}.onnx") for name in graphs.NAMES)
    features = run(image, {"image": test_picture(size.side).numpy()})
    embedded = run(text, {"input_ids": test_prompts(1).numpy()})
    inputs = features | noise(decoder) | {"tokens": embedded["token_emb"].transpose(1, 0, 2)}
    if "class_emb" in embedded:
        inputs["class_emb"] = embedded["class_emb"][None]
    return features | embedded | run(decoder, inputs)


def noise(decoder: InferenceSession, prompts: int = 1, seed: int = 0) -> Tensors:
    """Uniform numbers for the inputs `noise0` to `noise2` of a mask decoder; none where it has no such inputs."""
    shapes = {value.name: value.shape for value in decoder.get_inputs()}
    drawn = {}
    for level in range(LEVELS):
        shape = shapes.get(f"noise{level}")
        if shape is not None:
            random = np.random.default_rng([seed, level])
            drawn[f"noise{level}"] = random.random((shape[0], prompts, *shape[2:]), dtype=np.float32)
    return drawn
