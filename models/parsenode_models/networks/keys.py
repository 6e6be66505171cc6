"""The tables of keys and shapes of the published checkpoints, as data.

They were made by building upstream's models (models/parity/keys.py), so they judge ours.
"""

from dataclasses import dataclass
from pathlib import Path

from .sizes import Generation

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Key:
    """A tensor of a checkpoint."""

    name: str
    shape: tuple[int, ...]
    used: bool
    """Whether inference uses it."""


def table(generation: Generation) -> list[Key]:
    """The table of a generation, by name."""
    lines = (FOLDER / f"keys-{generation}.tsv").read_text().splitlines()
    return [_parsed(line) for line in lines if not line.startswith("#")]


def _parsed(line: str) -> Key:
    name, shape, used = line.split("\t")
    return Key(name, tuple(map(int, shape.split())) if shape != "-" else (), used == "used")
