"""Our graphs in ONNX Runtime against our network in PyTorch, with the same weights and inputs.

    python graphs.py CHECKPOINT FOLDER [--pictures N]

FOLDER is what `python -m parsenode_models export CHECKPOINT FOLDER` wrote.
"""

import argparse
import gc
import resource
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import upstream
from modules import PROMPTS, dice, picture
from parsenode_models import checkpoint
from parsenode_models.graphs import NAMES
from parsenode_models.networks.network import ImageEncoder, MaskDecoder, TextEncoder, feature_names
from parsenode_models.networks.sizes import LEVELS
from parsenode_models.sessions import run, session


def prompts() -> list[np.ndarray]:
    """Identifiers of the tokens of each prompt, `[1, T]`."""
    clip = upstream.tokenizer()
    return [np.array([clip(prompt)["input_ids"]]) for prompt in PROMPTS]


def of_pytorch(path: Path, seeds: range, ids: list[np.ndarray]) -> tuple[list[dict], str]:
    """For each picture: its features, and for each prompt its answers."""
    network = checkpoint.read(path, print)
    names = feature_names(network.size)
    found = []
    with torch.no_grad():
        for seed in seeds:
            features = list(ImageEncoder(network)(picture(network.size.side, seed)))
            answers = []
            for prompt in ids:
                embedded = TextEncoder(network)(torch.from_numpy(prompt))
                others = [embedded[1][None]] if network.size.generation == "v1" else noise(network, seed)
                answers.append(MaskDecoder(network)(features, embedded[0].transpose(0, 1), others))
            found.append({"features": dict(zip(names, features)), "answers": answers})
    return found, network.size.generation


def noise(network, seed: int) -> list[torch.Tensor]:
    """Noise for one prompt."""
    shapes = [network.sem_seg_head.predictor.noise_shape(level, 1) for level in range(LEVELS)]
    return [torch.from_numpy(np.random.default_rng([seed, level]).random(shape, dtype=np.float32))
            for level, shape in enumerate(shapes)]


def of_graphs(folder: Path, side: int, seed: int, ids: list[np.ndarray], drawn: dict) -> dict:
    """The same of ONNX Runtime."""
    encode, embed, decode = (session(folder / f"{name}.onnx") for name in NAMES)
    features = run(encode, {"image": picture(side, seed).numpy()})
    answers = []
    for prompt in ids:
        embedded = run(embed, {"input_ids": prompt})
        inputs = features | drawn | {"tokens": embedded["token_emb"].transpose(1, 0, 2)}
        if "class_emb" in embedded:
            inputs["class_emb"] = embedded["class_emb"][None]
        answers.append(run(decode, inputs))
    return {"features": features, "answers": answers}


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=2)
    typed = parser.parse_args()
    torch.set_num_threads(2)
    ids = prompts()
    wanted, generation = of_pytorch(typed.checkpoint, range(typed.pictures), ids)
    gc.collect()
    side = {"v1": 1024, "v2": 512}[generation]
    print("| picture, prompt | output | largest difference | largest number | Dice |\n|---|---|---|---|---|")
    for seed, theirs in enumerate(wanted):
        drawn = {}
        if generation == "v2":
            network_free = [(24, 1, 16, (side // stride) ** 2) for stride in (32, 16, 8)]
            drawn = {f"noise{level}": np.random.default_rng([seed, level]).random(shape, dtype=np.float32)
                     for level, shape in enumerate(network_free)}
        found = of_graphs(typed.folder, side, seed, ids, drawn)
        worst = max(found["features"], key=lambda name: _difference(found["features"][name], theirs["features"][name]))
        _line(f"{seed}", f"features, worst: {worst}", found["features"][worst], theirs["features"][worst], "")
        for prompt, ours, answer in zip(PROMPTS, found["answers"], theirs["answers"]):
            for (name, array), tensor in zip(ours.items(), answer):
                overlap = f"{dice(torch.from_numpy(array), tensor):.6f}" if "mask" in name or "edge" in name else ""
                _line(f"{seed}, {prompt}", name, array, tensor, overlap)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\nPyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, peak memory {peak:.1f} GB")


def _difference(found: np.ndarray, wanted: torch.Tensor) -> float:
    return float(np.abs(found - wanted.numpy()).max())


def _line(what: str, name: str, found: np.ndarray, wanted: torch.Tensor, overlap: str) -> None:
    largest = wanted.abs().max().item()
    print(f"| {what} | {name} | {_difference(found, wanted):.2e} | {largest:.3g} | {overlap} |", flush=True)


if __name__ == "__main__":
    main()
