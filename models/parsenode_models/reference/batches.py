"""Batches of the training: pictures, prompts, and what the right answers are.

Batch k depends on the seed and k alone, so it does not matter who makes it, nor when.
"""

import random as words
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from . import intensities, phantom, series
from .geometry import random_geometry, sampled
from .pictures import SIDE, bounds, neighbours, sized
from .targets import NAMES, TARGETS, asking, foreign
from .tokenizer import END, Tokenizer

PICTURES, PROMPTS = 16, 10
# How often each kind of picture is made.
KINDS = {
    "ct": 0.27,
    "mr": 0.18,
    "invented": 0.22,
    "pelvis": 0.08,
    "chest": 0.07,
    "head": 0.07,
    "nobody": 0.06,
    "shuffled": 0.05,
}
# A target is there with this many pixels of the mask, and not there under half a pixel; between, nobody says.
PIXELS_LEAST = 3.0
# Entries of the vocabulary that no prompt for a target has: they stand for all other words.
OTHER_WORDS = [1000, 2000, 3000, 4000, 5000, 6000]


@dataclass
class Example:
    """One slice with its neighbours before its shape is changed; grey levels."""

    picture: np.ndarray
    classes: np.ndarray
    known: np.ndarray
    modality: str | None
    strong: bool = False


@dataclass
class Sources:
    """All stacks that examples are made of."""

    ct: list[series.Stack]
    mr: list[series.Stack]
    pelvis: series.Stack
    heads: list[series.Stack]
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, shared: Path) -> "Sources":
        ct, mr = series.labelled("ct-abdomen-labelled", shared), series.labelled("mr-abdomen-labelled", shared)
        sources = cls(
            series.training_parts(ct), series.training_parts(mr), series.pelvis(shared), series.foreign_heads(shared)
        )
        sources.limits = {"mr": bounds(mr.values, "MRI"), "head": bounds(sources.heads[0].values, "MRI")}
        return sources


def some_slice(stacks: list[series.Stack], random: np.random.Generator) -> tuple[series.Stack, list[int], int]:
    """A stack, three places in it (near, far or the same) and the middle one."""
    sizes = np.array([len(stack.values) for stack in stacks])
    stack = stacks[random.choice(len(stacks), p=sizes / sizes.sum())]
    middle, before, after = neighbours(int(random.integers(len(stack.values))), len(stack.values))
    if random.random() < 0.2:
        before = after = middle
    return stack, [middle, before, after], middle


def example(kind: str, sources: Sources, random: np.random.Generator) -> Example:
    """One picture of a kind."""
    if kind == "chest":
        values, classes = phantom.chest(random)
        known = np.isin(NAMES, [name for name in NAMES if name not in ("aorta", "inferior vena cava", "spinal cord")])
        return Example(intensities.ct(values, classes, random), classes[0], known, "CT")
    if kind == "nobody":
        picture = phantom.nobody(random)
        return Example(picture, np.zeros(picture.shape[1:], np.uint8), np.ones(len(TARGETS), bool), None)
    if kind == "shuffled":
        return disturbed(example(str(random.choice(["ct", "mr", "pelvis", "head"])), sources, random), random)
    stacks = {
        "ct": sources.ct,
        "mr": sources.mr,
        "pelvis": [sources.pelvis],
        "head": sources.heads,
        "invented": sources.ct if random.random() < 0.6 else sources.mr,
    }[kind]
    stack, places, middle = some_slice(stacks, random)
    values, classes, known = stack.values[places], stack.classes[places], stack.known[middle]
    if kind == "invented":
        return Example(
            intensities.invented(values, classes, stack.modality, random), classes[0], known, None, strong=True
        )
    if stack.modality == "CT":
        return Example(intensities.ct(values, classes, random), classes[0], known, "CT")
    picture = intensities.mr(values, sources.limits["head" if kind == "head" else "mr"], random)
    if kind == "head" and random.random() < 0.6:
        picture = intensities.toned(picture, random)
    return Example(picture, classes[0], known, "MRI")


def disturbed(one: Example, random: np.random.Generator) -> Example:
    """A picture in which nothing is left whole."""
    picture = intensities.shuffled(one.picture.clip(0, 255), random)
    if random.random() < 0.5:
        picture = intensities.toned(picture, random)
    return Example(picture, np.zeros(picture.shape[1:], np.uint8), np.ones(len(TARGETS), bool), None)


def shaped(one: Example, random: np.random.Generator, table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture `[3, S, S]` in its final shape, and how much of each pixel is each target: `[targets, M, M]`."""
    shape = random_geometry(random, one.strong)
    rows, columns = one.classes.shape
    native = SIDE if random.random() < 0.4 else int(random.integers(96, 300))
    picture = sampled(
        torch.from_numpy(np.ascontiguousarray(one.picture, np.float32)), shape.grid(native, rows, columns)
    )
    frame = random_frame(random)
    picture = torch.from_numpy(intensities.noise(picture.numpy(), random).astype(np.float32))
    picture = picture * frame_mask(frame, native)
    picture = sized(picture.clamp(0, 255).round().to(torch.uint8)[None])[0]
    half = SIDE // 2
    layers = table[:, torch.from_numpy(one.classes.astype(np.int64))]
    masks = sampled(layers, shape.grid(half, rows, columns)) * frame_mask(frame, half)
    return picture, masks


def random_frame(random: np.random.Generator) -> tuple[float, float, float, float]:
    """The part of the square that was acquired: left, top, right, bottom, in shares."""
    if random.random() < 0.7:
        return 0.0, 0.0, 1.0, 1.0
    cut = random.uniform(0, 0.2, 4) * (random.random(4) < 0.5)
    return cut[0], cut[1], 1 - cut[2], 1 - cut[3]


def frame_mask(frame: tuple[float, float, float, float], side: int) -> torch.Tensor:
    left, top, right, bottom = (round(edge * side) for edge in frame)
    mask = torch.zeros(side, side)
    mask[top:bottom, left:right] = 1
    return mask


def questions(areas: torch.Tensor, one: Example, choose: words.Random) -> list[tuple[int, str]]:
    """Targets (-1: something foreign) with their prompts: mostly what is there, some that is not."""
    known = [index for index in range(len(TARGETS)) if one.known[index]]
    there = [index for index in known if areas[index] >= PIXELS_LEAST]
    absent = [index for index in known if areas[index] < 0.5]
    choose.shuffle(there)
    choose.shuffle(absent)
    wanted = [*there[: PROMPTS - 3], *absent]
    wanted = [*wanted[: PROMPTS - 1], -1]
    wanted += [-1] * (PROMPTS - len(wanted))
    return [(index, foreign(choose) if index < 0 else asking(TARGETS[index], one.modality, choose)) for index in wanted]


def spelled(index: int, text: str, tokenizer: Tokenizer, choose: words.Random) -> list[int]:
    """Identifiers; a foreign prompt sometimes has words that nobody knows."""
    tokens = tokenizer(text)
    if index < 0 and choose.random() < 0.4:
        change = 1 if choose.random() < 0.7 else 3
        tokens[1 : 1 + change] = choose.choices(OTHER_WORDS, k=choose.randint(1, 3))
        if tokens[-1] != END:
            tokens.append(END)
    return tokens


class Batches(Dataset):
    """Batches by number."""

    def __init__(self, shared: Path, seed: int, count: int) -> None:
        self.sources, self.seed, self.count = Sources.read(shared), seed, count
        self.table, self.tokenizer = torch.from_numpy(series.target_table()), Tokenizer()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        random, choose = np.random.default_rng([self.seed, number]), words.Random(f"{self.seed} {number}")
        kinds = random.choice(list(KINDS), PICTURES, p=np.array(list(KINDS.values())) / sum(KINDS.values()))
        pictures, masks, there, tokens = [], [], [], []
        for kind in kinds:
            one = example(str(kind), self.sources, random)
            picture, layers = shaped(one, random, self.table)
            asked = questions(layers.sum((1, 2)), one, choose)
            empty = torch.zeros_like(layers[0])
            pictures.append(picture)
            masks.append(torch.stack([layers[index] if index >= 0 else empty for index, _ in asked]))
            there.append(torch.tensor([float(mask.sum() >= PIXELS_LEAST) for mask in masks[-1]]))
            tokens += [spelled(index, text, self.tokenizer, choose) for index, text in asked]
        ids = [torch.tensor(row) for row in tokens]
        real = torch.nn.utils.rnn.pad_sequence([torch.ones(len(row)) for row in ids], batch_first=True)
        ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        return {
            "image": torch.stack(pictures),
            "mask": torch.stack(masks),
            "there": torch.stack(there),
            "ids": ids.reshape(PICTURES, PROMPTS, -1),
            "real": real.reshape(PICTURES, PROMPTS, -1),
        }
