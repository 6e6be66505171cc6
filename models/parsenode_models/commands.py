"""What the commands do. The command line is read elsewhere."""

import argparse
import tempfile
from pathlib import Path

import torch

from . import checkpoint, compare, folder, random_weights
from .failure import MISUSE, Failure
from .folder import About, Options, Say, about_checkpoint
from .networks.network import Network
from .networks.sizes import FULL, TINY, Size
from .statistics import read_statistics


def export(arguments: argparse.Namespace, say: Say) -> int:
    """`export`: a checkpoint → a folder."""
    folder.need_free_place(arguments.out)
    options = Options(arguments.precision, arguments.statistics)
    if arguments.statistics is not None:
        read_statistics(arguments.statistics)  # faults of it are said before minutes of work
    network = checkpoint.read(arguments.checkpoint, say)
    size = network.size
    sha256 = folder.sha256(arguments.checkpoint)
    is_full = size == FULL[size.generation]
    about = about_checkpoint(size.generation, sha256) if is_full else about_random(size, 0)
    folder.write(network, about, arguments.out, options, say)
    say(f"next: parsenode model show {arguments.out}")
    return 0


def random(arguments: argparse.Namespace, say: Say) -> int:
    """`random`: a folder, a checkpoint, or both."""
    need_what_random_wants(arguments)
    size = {"tiny": TINY, "full": FULL}[arguments.size][arguments.generation]
    network = empty_network(size)
    say("drawing random weights")
    random_weights.fill(network, arguments.seed)
    about = about_random(size, arguments.seed)
    options = Options(arguments.precision, arguments.statistics)
    if arguments.check:
        return check(network, about, arguments.out, options, say)
    if arguments.checkpoint is not None:
        checkpoint.write(network, arguments.checkpoint, arguments.seed, say)
    if arguments.out is not None:
        folder.write(network, about, arguments.out, options, say)
    return 0


def need_what_random_wants(arguments: argparse.Namespace) -> None:
    """Raises `Failure` for what would stop `random` after minutes of work."""
    if arguments.check and arguments.checkpoint is not None:
        raise Failure("--check writes nothing: leave --checkpoint out", MISUSE)
    if arguments.out is None and (arguments.checkpoint is None or arguments.check):
        raise Failure("give OUT, --checkpoint FILE, or both; --check needs OUT", MISUSE)
    for place in (arguments.out, arguments.checkpoint):
        if place is not None and not arguments.check:
            folder.need_free_place(place)
    if arguments.statistics is not None:
        read_statistics(arguments.statistics)


def about_random(size: Size, seed: int) -> About:
    """What a folder with random weights says of itself."""
    word = "tiny" if size == TINY[size.generation] else "full"
    return About(
        name=f"prompt-{size.generation}-{word}", version=str(seed),
        title=f"Random weights in the form of BiomedParse {size.generation}", manufacturer="parsenode",
        licence="MIT OR Apache-2.0", remark="Random weights, for tests: what this finds means nothing.")


def check(network: Network, about: About, out: Path, options: Options, say: Say) -> int:
    """Whether `out` is what would be written: 0 or 1."""
    with tempfile.TemporaryDirectory() as fresh:
        made = Path(fresh) / "made"
        folder.write(network, about, made, options, say)
        difference = compare.folders(out, made, network.size)
    print(f"{out}: {'DIFFERS: ' + difference if difference else 'as made'}")
    return 1 if difference else 0


def empty_network(size: Size) -> Network:
    """A network whose weights take no memory until they are given."""
    with torch.device("meta"):
        return Network(size)


TASKS = {"export": export, "random": random}
