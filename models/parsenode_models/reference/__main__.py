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

from ..failure import MISUSE, Failure, need_checkout
from ..places import made_whole
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
        arguments.folder = chosen_folder(arguments)
        return {"train": train, "evaluate": evaluate, "check": check}[arguments.command](arguments)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.code


def chosen_folder(arguments: argparse.Namespace) -> Path:
    """The folder to read or write: the committed one, or the one that was named.

    Raises `Failure` when it is not to be written over.
    """
    if arguments.folder is None:
        if arguments.quick:
            raise Failure("--quick makes a model that is worth nothing: name its folder with --folder", MISUSE)
        need_checkout(folder.FOLDER, "--folder")
        return folder.FOLDER
    if arguments.command == "train" and arguments.folder.exists() and not (arguments.folder / "model.toml").is_file():
        raise Failure(f"{arguments.folder} exists and is no model folder; it would be replaced", MISUSE)
    return arguments.folder


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m parsenode_models.reference", description="Trains, evaluates and checks the reference model.")
    parser.add_argument("command", choices=["train", "evaluate", "check"])
    parser.add_argument("--folder", type=Path, help="the model folder, in place of the committed one")
    parser.add_argument("--data", type=Path, default=series.SHARED, help="folder of the labelled series")
    parser.add_argument("--seed", type=int, default=training.SEED)
    parser.add_argument("--threads", type=int, default=1, help="of the training; another one makes the pictures")
    parser.add_argument("--quick", action="store_true", help="train a few steps only, into --folder: the result is worth nothing")
    return parser.parse_args()


def train(arguments: argparse.Namespace) -> int:
    torch.set_num_threads(arguments.threads)
    steps, began = QUICK_STEPS if arguments.quick else training.STEPS, time.monotonic()
    network = training.train(arguments.data, steps, arguments.seed, say=tell)
    facts = facts_of(network, steps, arguments, time.monotonic() - began)
    with made_whole(arguments.folder) as made:
        write(network, facts, made, arguments)
        add_figures(made, arguments.data)
    return check(arguments)


def write(network: Network, facts: card.Facts, made: Path, arguments: argparse.Namespace) -> None:
    """Everything but the figures."""
    graphs.write(network, made)
    model = folder.Model(made)
    targets = EVERYTHING if arguments.quick else good_enough(model, arguments.data)
    masks = statistics.write(model, made, arguments.data, targets, arguments.seed)
    tell(f"statistics of so many masks: {masks}")
    folder.write_manifest(made, targets)
    card.write(made, facts, targets, DICE_LEAST)


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
    add_figures(arguments.folder, arguments.data)
    return check(arguments)


def add_figures(path: Path, data: Path) -> None:
    """Runs the graphs over the series, and writes how well they did into the card."""
    model, targets = folder.Model(path), folder.declared(path)
    text = evaluation.report(model, data, targets) + "\n" + outside.report(model, data, targets)
    tell(text)
    card.add_figures(path, text)


def check(arguments: argparse.Namespace) -> int:
    faults = folder.faults(arguments.folder)
    tell("\n".join(faults) or f"{arguments.folder.name}: the files are what model.toml says, and the graphs run")
    return 1 if faults else 0


def tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
