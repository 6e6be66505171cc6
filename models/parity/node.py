"""Holds what the node writes against what upstream's own inference says: DICOM in, masks out.

    python node.py noise MODEL SERIES SENTENCE... NOISE.npz         # the noise that the node draws for v2, for upstream_v2.py
    python node.py compare SEGMENTATION.dcm UPSTREAM.npz LABEL...   # Dice for each prompt, labels in the order of the prompts

MODEL is an exported folder, SERIES a folder of DICOM slices, SENTENCE a prompt as the node understood it (`parsenode run` prints
it). UPSTREAM.npz is what upstream_v1.py or upstream_v2.py wrote; the pictures of both sides have to lie on the same grid: slices
of 1024 x 1024 for v1, of 512 x 512 for v2. Exit 1 when a Dice is below 0.999.
"""

import argparse
import hashlib
import struct
import sys
import tomllib
from pathlib import Path

import numpy as np
import pydicom

LEAST = 0.999
# Tables of [files] in the order of the hash.
FILES = ("image_encoder", "text_encoder", "mask_decoder", "statistics")
LAYERS_AND_HEADS, QUERIES, POSITIONS = 24, 16, (256, 1024, 4096)
WORD = (1 << 64) - 1


def series_of(folder: Path) -> list[pydicom.Dataset]:
    """The slices along their normal."""
    slices = [pydicom.dcmread(file) for file in sorted(folder.rglob("*.dcm"))]
    rows, columns = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(rows, columns)
    return sorted(slices, key=lambda one: float(np.dot(normal, np.array(one.ImagePositionPatient, float))))


def model_sha256(folder: Path) -> str:
    """As the node names the model: model.toml, the graphs, and statistics where there are some, one after the other."""
    listed = tomllib.loads((folder / "model.toml").read_text())["files"]
    digest = hashlib.sha256((folder / "model.toml").read_bytes())
    for role in FILES:
        if role in listed:
            digest.update((folder / listed[role]["file"]).read_bytes())
    return digest.hexdigest()


def drawn(parts: list[str], counts: list[int]) -> list[np.ndarray]:
    """xoshiro256++ seeded by the SHA-256 of the parts: two numbers of 24 bits a draw, a fresh draw for each input."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(struct.pack("<Q", len(part.encode())) + part.encode())
    state = list(struct.unpack("<4Q", digest.digest()))
    return [numbers(state, count) for count in counts]


def numbers(state: list[int], count: int) -> np.ndarray:
    """`count` numbers in [0, 1)."""
    words = np.empty((count + 1) // 2, np.uint64)
    a, b, c, d = state
    for at in range(len(words)):
        total = (a + d) & WORD
        words[at] = ((((total << 23) | (total >> 41)) & WORD) + a) & WORD
        shifted = (b << 17) & WORD
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = ((d << 45) | (d >> 19)) & WORD
    state[:] = [a, b, c, d]
    pairs = np.stack([words >> np.uint64(40), (words >> np.uint64(8)) & np.uint64(0xFFFFFF)], axis=1)
    return (pairs.reshape(-1)[:count] / 2**24).astype(np.float32)


def write_noise(typed: argparse.Namespace) -> None:
    """`noise0` to `noise2`, `[D, 24, P, 16, positions]`."""
    sha256, slices = model_sha256(typed.model), series_of(typed.series)
    counts = [LAYERS_AND_HEADS * QUERIES * positions for positions in POSITIONS]
    noise = [np.empty((len(slices), LAYERS_AND_HEADS, len(typed.sentences), QUERIES, n), np.float32) for n in POSITIONS]
    for k, one in enumerate(slices):
        for p, sentence in enumerate(typed.sentences):
            values = drawn([str(one.SOPInstanceUID), "0", sentence, sha256], counts)
            for level, of_level in zip(noise, values):
                level[k, :, p] = of_level.reshape(LAYERS_AND_HEADS, QUERIES, -1)
    np.savez(typed.out, **{f"noise{level}": values for level, values in enumerate(noise)})


def masks_of(segmentation: pydicom.Dataset, slices: int) -> dict[str, np.ndarray]:
    """By Segment Label, `[D, rows, columns]`; frames are put by the order of their positions along the normal."""
    pixels = segmentation.pixel_array.reshape(-1, segmentation.Rows, segmentation.Columns) > 0
    labels = {one.SegmentNumber: one.SegmentLabel for one in segmentation.SegmentSequence}
    masks = {label: np.zeros((slices, *pixels.shape[1:]), bool) for label in labels.values()}
    for frame, groups in zip(pixels, segmentation.PerFrameFunctionalGroupsSequence):
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        content = groups.FrameContentSequence[0]
        masks[labels[number]][content.DimensionIndexValues[-1] - 1] = frame
    return masks


def theirs_of(file: Path) -> np.ndarray:
    """`[P, D, rows, columns]`."""
    said = np.load(file, allow_pickle=False)
    if "labels" in said:
        return np.stack([said["labels"] == number for number in range(1, len(said["prompts"]) + 1)])
    return said["probabilities"][:, None] > 0.5


def compare(typed: argparse.Namespace) -> None:
    """One line a prompt."""
    theirs = theirs_of(typed.upstream)
    ours = masks_of(pydicom.dcmread(typed.segmentation), theirs.shape[1])
    worst = 1.0
    for label, wanted in zip(typed.labels, theirs, strict=True):
        found = ours.get(label, np.zeros(wanted.shape, bool))
        together = int(found.sum()) + int(wanted.sum())
        dice = 2 * int((found & wanted).sum()) / together if together else 1.0
        print(f"{label}: {int(found.sum())} and {int(wanted.sum())} pixels, {int((found ^ wanted).sum())} differ, Dice {dice:.6f}")
        worst = min(worst, dice)
    sys.exit(worst < LEAST)


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    noise = commands.add_parser("noise", help="the noise that the node draws for v2")
    noise.add_argument("model", type=Path)
    noise.add_argument("series", type=Path)
    noise.add_argument("sentences", nargs="+")
    noise.add_argument("out", type=Path)
    noise.set_defaults(run=write_noise)
    held = commands.add_parser("compare", help="the masks of both")
    held.add_argument("segmentation", type=Path)
    held.add_argument("upstream", type=Path)
    held.add_argument("labels", nargs="+")
    held.set_defaults(run=compare)
    typed = parser.parse_args()
    typed.run(typed)


if __name__ == "__main__":
    main()
