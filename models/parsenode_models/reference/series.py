"""The series that the model learns from, and what of them is held out.

Each labelled series is one patient. Whole blocks of slices are held out; between a block and the slices of the training
lies a gap of one slice on each side that neither uses. A stack of the training ends at the gap: the slice before a gap has
no neighbour behind it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from scipy import ndimage

from ..failure import Failure
from .targets import CLASS_COUNT, NAMES, TARGETS, class_of

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
# First and last slice, from 0, of what is held out.
HELD_OUT = {"ct-abdomen-labelled": [(9, 11), (23, 25)], "mr-abdomen-labelled": [(9, 11)]}
GAP = 1
# Slices of ct-torso below the labelled series, from 0: the pelvis. Nothing of them is labelled by anybody. Below 15 there is
# metal in a hip, below 30 the aorta has not begun.
PELVIS, METAL_BELOW, NO_VESSELS_BELOW = (0, 50), 15, 30
# From there to where the first kidney begins; never trained on. The organs below are not there either.
LOWER_ABDOMEN = (50, 65)
NOT_IN_PELVIS = [
    "liver",
    "spleen",
    "left kidney",
    "right kidney",
    "kidney",
    "gallbladder",
    "stomach",
    "pancreas",
    "left adrenal gland",
    "right adrenal gland",
    "lung",
]


@dataclass
class Stack:
    """Slices that follow each other, with their classes and what is known of them."""

    name: str
    modality: str | None
    values: np.ndarray  # [D, rows, columns] float32, values of the modality
    classes: np.ndarray  # [D, rows, columns] uint8
    known: np.ndarray  # [D, targets] bool: whether classes say all about the target
    slices: list[int]  # their places in the series


def read_series(folder: Path) -> tuple[np.ndarray, str]:
    """`[D, rows, columns]` from feet to head, and the modality as prompts say it.

    Raises `Failure` when there is no series.
    """
    headers = [pydicom.dcmread(file) for file in sorted(folder.glob("*.dcm"))]
    if not headers:
        raise Failure(f"no DICOM files in {folder}; give --data, the folder of the labelled series")
    headers.sort(key=along_normal)
    values = [
        h.pixel_array * float(h.get("RescaleSlope") or 1) + float(h.get("RescaleIntercept") or 0) for h in headers
    ]
    modality = {"MR": "MRI"}.get(headers[0].Modality, headers[0].Modality)
    return np.stack(values).astype(np.float32), modality


def along_normal(header: pydicom.Dataset) -> float:
    row, column = np.split(np.array(header.ImageOrientationPatient, float), 2)
    return float(np.cross(row, column) @ np.array(header.ImagePositionPatient, float))


def read_classes(truth: Path) -> np.ndarray:
    """The labels beside a series, as classes."""
    names = json.loads(truth.with_suffix(".json").read_text())["labels"]
    table = np.zeros(256, np.uint8)
    for value, name in names.items():
        table[int(value)] = class_of(name)
    return table[np.load(truth.with_suffix(".npz"))["labels"]]


def labelled(name: str, shared: Path = SHARED) -> Stack:
    """A whole labelled series."""
    values, modality = read_series(shared / name)
    classes = read_classes(shared / f"{name}-truth")
    known = np.array([[modality in target.modalities for target in TARGETS]] * len(values))
    return Stack(name, modality, values, classes, known, list(range(len(values))))


def part(stack: Stack, first: int, last: int) -> Stack:
    """The slices from first to last."""
    here = slice(first, last + 1)
    return Stack(
        stack.name, stack.modality, stack.values[here], stack.classes[here], stack.known[here], stack.slices[here]
    )


def training_parts(stack: Stack) -> list[Stack]:
    """What the training sees of a labelled series."""
    used = np.ones(len(stack.values), bool)
    for first, last in HELD_OUT[stack.name]:
        used[max(first - GAP, 0) : last + GAP + 1] = False
    runs, count = ndimage.label(used)
    return [part(stack, *np.flatnonzero(runs == run)[[0, -1]]) for run in range(1, count + 1)]


def held_out_slices(name: str) -> list[int]:
    """Slices that are evaluated and never trained on."""
    return [index for first, last in HELD_OUT[name] for index in range(first, last + 1)]


def pelvis(shared: Path = SHARED) -> Stack:
    """Slices without the organs of the upper abdomen. Bone comes from a rule, see `bone_by_rule`."""
    values, modality = read_series(shared / "ct-torso")
    values = values[PELVIS[0] : PELVIS[1]]
    classes = np.where(bone_by_rule(values), 14, 0).astype(np.uint8)
    known = np.zeros((len(values), len(TARGETS)), bool)
    known[:, [NAMES.index(name) for name in NOT_IN_PELVIS]] = True
    known[METAL_BELOW:, NAMES.index("bone")] = True
    known[:NO_VESSELS_BELOW, [NAMES.index("aorta"), NAMES.index("inferior vena cava")]] = True
    return Stack("ct-torso", modality, values, classes, known, list(range(*PELVIS)))


def bone_by_rule(values: np.ndarray) -> np.ndarray:
    """Above 150 HU, closed; holes are marrow where their mean is above 60 HU; nothing under 6 pixels."""
    return np.stack([bone_of_slice(one) for one in values])


def bone_of_slice(values: np.ndarray) -> np.ndarray:
    hard = ndimage.binary_closing(np.pad(values > 150, 2), np.ones((3, 3)))[2:-2, 2:-2]
    holes, count = ndimage.label(ndimage.binary_fill_holes(hard) & ~hard)
    numbers = np.arange(1, count + 1)
    marrow = numbers[ndimage.mean(values, holes, numbers) > 60] if count else []
    bone = hard | np.isin(holes, marrow)
    pieces, count = ndimage.label(bone, np.ones((3, 3)))
    large = np.flatnonzero(np.bincount(pieces.ravel()) >= 6)
    return bone & np.isin(pieces, large)


def foreign_heads(shared: Path = SHARED) -> list[Stack]:
    """A head, cut along three axes and thinned out: no target is in it."""
    values, modality = read_series(shared / "mr-t1w-brain")
    cuts = [values[::8, ::3, ::3], values[::3, ::8, ::3].transpose(1, 0, 2), values[::3, ::3, ::8].transpose(2, 0, 1)]
    return [
        Stack(
            "mr-t1w-brain",
            modality,
            np.ascontiguousarray(cut),
            np.zeros(cut.shape, np.uint8),
            np.ones((len(cut), len(TARGETS)), bool),
            list(range(len(cut))),
        )
        for cut in cuts
    ]


def target_table() -> np.ndarray:
    """`[targets, classes]`: 1 where the class is part of the target."""
    table = np.zeros((len(TARGETS), CLASS_COUNT), np.float32)
    for row, target in enumerate(TARGETS):
        table[row, list(target.classes)] = 1
    return table
