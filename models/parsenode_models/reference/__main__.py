"""Command line of the reference model. In models/:

    python -m parsenode_models.reference train       # writes organs-ct-mr and its card; about an hour on two cores
    python -m parsenode_models.reference evaluate    # runs the graphs over both labelled series, writes the figures into the card
    python -m parsenode_models.reference check       # exit 1 when the files are not what model.toml says, or do not run

Training and evaluation want the labelled series (`--data`) and the package that has CLIP's vocabulary; see `tokenizer`.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

from ..failure import Failure, need_checkout
from . import card, evaluation, folder, graphs, outside, series, statistics, training
from .network import Network
from .targets import TARGETS

# A target is declared for a modality where it does at least as well on held-out slices and on those of the training.
DICE_LEAST = 0.7
# Never declared: the kidney, because asked for together with its two sides it would take their place; and what has so few
# pixels of a mask that its figures are luck.
NOT_DECLARED = ["kidney", "left adrenal gland", "right adrenal gland"]
# Steps of a training that only shows that the script works.
QUICK_STEPS = 12
EVERYTHING = [(target.name, list(target.modalities)) for target in TARGETS]


def main() -> int:
    arguments = read_arguments()
    try:
        if arguments.folder is None:
            need_checkout(folder.FOLDER, "--folder")
            arguments.folder = folder.FOLDER
        return {"train": train, "evaluate": evaluate, "check": check}[arguments.command](arguments)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.code


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m parsenode_models.reference", description="Trains, evaluates and checks the reference model.")
    parser.add_argument("command", choices=["train", "evaluate", "check"])
    parser.add_argument("--folder", type=Path, help="the model folder, in place of the committed one")
    parser.add_argument("--data", type=Path, default=series.SHARED, help="folder of the labelled series")
    parser.add_argument("--seed", type=int, default=training.SEED)
    parser.add_argument("--threads", type=int, default=1, help="of the training; another one makes the pictures")
    parser.add_argument("--quick", action="store_true", help="train a few steps only: the result is worth nothing")
    return parser.parse_args()


def train(arguments: argparse.Namespace) -> int:
    torch.set_num_threads(arguments.threads)
    steps, began = QUICK_STEPS if arguments.quick else training.STEPS, time.monotonic()
    network = training.train(arguments.data, steps, arguments.seed, say=tell)
    seconds = time.monotonic() - began
    arguments.folder.mkdir(parents=True, exist_ok=True)
    graphs.write(network, arguments.folder)
    model = folder.Model(arguments.folder)
    targets = EVERYTHING if arguments.quick else good_enough(model, arguments.data)
    masks = statistics.write(model, arguments.folder, arguments.data, targets, arguments.seed)
    tell(f"statistics of so many masks: {masks}")
    folder.write_manifest(arguments.folder, targets)
    facts = facts_of(network, steps, arguments, seconds)
    card.write(arguments.folder, facts, targets, DICE_LEAST)
    return evaluate(arguments)


def facts_of(network: Network, steps: int, arguments: argparse.Namespace, seconds: float) -> card.Facts:
    slices = {
        name: sum(len(part.slices) for part in series.training_parts(series.labelled(name, arguments.data)))
        for name in series.HELD_OUT
    }
    return card.Facts(
        steps, arguments.seed, arguments.threads, seconds, sum(p.numel() for p in network.parameters()), slices
    )


def good_enough(model: folder.Model, data: Path) -> list[tuple[str, list[str]]]:
    """Targets with the modalities where they do well."""
    truths = [evaluation.labelled(name, data) for name in series.HELD_OUT]
    rows = [row for truth in truths for split in truth[1] for row in evaluation.rows_of(model, truth, split)]
    bad = {(row.target, row.modality) for row in rows if not row.dice >= DICE_LEAST}
    kept = [
        (name, [modality for modality in modalities if (name, modality) not in bad]) for name, modalities in EVERYTHING
    ]
    return [(name, modalities) for name, modalities in kept if modalities and name not in NOT_DECLARED]


def evaluate(arguments: argparse.Namespace) -> int:
    model, targets = folder.Model(arguments.folder), folder.declared(arguments.folder)
    text = evaluation.report(model, arguments.data, targets)
    text += "\n" + outside.report(model, arguments.data, targets)
    tell(text)
    card.add_figures(arguments.folder, text)
    return check(arguments)


def check(arguments: argparse.Namespace) -> int:
    faults = folder.faults(arguments.folder)
    tell("\n".join(faults) or f"{arguments.folder.name}: the files are what model.toml says, and the graphs run")
    return 1 if faults else 0


def tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
