"""Pictures of other people, for the evaluation only: one CT and one MR with masks, and images that hold no target at all.

They are single images, not series: all three channels of the encoder get the same slice, of colour images their mean.
"""

import json
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

from .evaluation import Row, found_masks, row, table_of
from .folder import Model
from .pictures import BYTES

FOLDER = "nine-modalities"
# With masks; and how each is brought to lie as a series does: it is stored on its side, the MR mirrored as well.
ABDOMINAL = {"CT": ("06_CT_abdomen", lambda a: np.rot90(a)), "MRI": ("13_MRI_abdomen", lambda a: np.rot90(a)[:, ::-1])}
WORDS = {"postcava": "inferior vena cava"}


def read(file: Path) -> tuple[np.ndarray, str]:
    """Values, colours as their mean, and how they become grey levels."""
    header = pydicom.dcmread(file)
    kind = BYTES if header.BitsAllocated == 8 else "CT"
    values = header.pixel_array.astype(np.float32)
    values = values.mean(-1) if values.ndim == 3 else values
    return values * float(header.get("RescaleSlope") or 1) + float(header.get("RescaleIntercept") or 0), kind


def abdominal_rows(model: Model, shared: Path, targets: list[tuple[str, list[str]]]) -> list[Row]:
    """Of the two images with masks."""
    rows = []
    for modality, (stem, turned) in ABDOMINAL.items():
        values, kind = read(shared / FOLDER / f"{stem}.dcm")
        truths = {
            WORDS.get(word, word): turned(np.array(Image.open(file).convert("L")) > 127)
            for file in (shared / FOLDER / "masks").glob(f"{stem}_*.png")
            for word in [file.stem.removeprefix(f"{stem}_").replace("-", " ")]
        }
        names = [name for name, modalities in targets if modality in modalities and name in truths]
        masks = found_masks(model, turned(values)[None], kind, [f"{name} in abdomen {modality}" for name in names])
        rows += [
            row(name, modality, f"other patient, {stem[:2]}", truths[name][None], mask)
            for name, mask in zip(names, masks, strict=True)
        ]
    return rows


def alarms(model: Model, shared: Path, targets: list[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Which targets are marked in each of the images, asked with the modality and site that its index gives."""
    found = {}
    for entry in json.loads((shared / FOLDER / "index.json").read_text()):
        values, kind = read(shared / FOLDER / entry["file"])
        names = [name for name, _ in targets]
        masks = found_masks(model, values[None], kind, [entry["prompt"].format(target=name) for name in names])
        found[entry["file"]] = [name for name, mask in zip(names, masks, strict=True) if mask.any()]
    return found


def report(model: Model, shared: Path, targets: list[tuple[str, list[str]]]) -> str:
    """Markdown."""
    if not (shared / FOLDER).is_dir():
        return f"Not seen: {FOLDER} is not here.\n"
    rows = table_of(abdominal_rows(model, shared, targets))
    found = alarms(model, shared, targets)
    lines = [f"| {name} | {', '.join(marked) or '–'} |" for name, marked in found.items()]
    images = "Declared targets that are marked in 27 single images of nine modalities, asked without regard to what they show:"
    patients = "Two single images of other patients (demonstration images of BiomedParse, never trained on):"
    return "\n".join([patients, "", rows, "", images, "", "| image | marked |", "|---|---|", *lines]) + "\n"
