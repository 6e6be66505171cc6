"""Reads Segmentations back with other people's readers and compares every voxel with what was written.

    python voxels.py MADE_FOLDER [--dcmqi FOLDER_OF_ITS_PROGRAMS]

MADE_FOLDER is what `made_results` wrote: truth/truth.json with the voxels of each segment, and a folder a kind. Prints
one complaint a line, or nothing; exit 1 when there is one. Readers:
- pydicom: frames by their functional groups, on source instance and frame; also of the other transfer syntaxes;
- highdicom: the Segmentation opens by segread, and its frames by source;
- dcmqi: segimage2itkimage, where there is geometry and the kind is one it reads; voxel counts a segment.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom

KINDS = ("binary", "fractional", "labelmap")
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"


class Truth:
    """What was written, as [segment][k][j][i]."""

    def __init__(self, folder: Path) -> None:
        plan = json.loads((folder / "truth.json").read_text())
        columns, rows, slices = plan["size"]
        self.labels, self.in_patient = plan["segments"], plan["in_patient"]
        self.place = {(uid, number): k for k, (uid, number) in enumerate(plan["slices"])}

        def load(name: str) -> np.ndarray:
            return np.fromfile(folder / name, np.uint8).reshape(slices, rows, columns)

        self.masks = np.stack([load(f"{n}.raw") for n in range(1, len(self.labels) + 1)])
        self.fractions = np.stack([load(f"{n}.fraction.raw") for n in range(1, len(self.labels) + 1)])

    def of(self, kind: str) -> np.ndarray:
        return self.fractions if kind == "fractional" else self.masks


def sources_of(seg: pydicom.Dataset):
    """The reference to its source of each frame."""
    return (item.DerivationImageSequence[0].SourceImageSequence[0] for item in seg.PerFrameFunctionalGroupsSequence)


def frames_of(seg: pydicom.Dataset):
    """Segment number (None in a label map) and source place of each frame, as its functional groups say."""
    for item, source in zip(seg.PerFrameFunctionalGroupsSequence, sources_of(seg)):
        number = int(source.get("ReferencedFrameNumber", 1))
        segment = item.SegmentIdentificationSequence[0].ReferencedSegmentNumber if "SegmentIdentificationSequence" in item else None
        yield segment, (source.ReferencedSOPInstanceUID, number)


def by_pydicom(seg: pydicom.Dataset, truth: Truth, kind: str) -> np.ndarray:
    pixels = seg.pixel_array
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    found = np.zeros_like(truth.of(kind))
    for frame, (segment, place) in zip(pixels, frames_of(seg), strict=True):
        k = truth.place[place]
        if segment is None:
            for n in range(len(truth.labels)):
                found[n, k] = frame == n + 1
        else:
            found[segment - 1, k] = frame
    return found


def by_highdicom(path: Path, truth: Truth, kind: str) -> np.ndarray:
    seg = hd.seg.segread(path)
    uids = list(dict.fromkeys(uid for uid, _ in truth.place))
    numbers = list(range(1, len(truth.labels) + 1))
    options = dict(segment_numbers=numbers, assert_missing_frames_are_empty=True, ignore_spatial_locations=True, rescale_fractional=False)
    if any("ReferencedFrameNumber" in source for source in sources_of(seg)):
        frames = [number for _, number in truth.place]
        found = seg.get_pixels_by_source_frame(uids[0], frames, **options)
    else:
        found = seg.get_pixels_by_source_instance(uids, **options)
    return np.moveaxis(found, -1, 0).astype(np.uint8)


def by_dcmqi(path: Path, programs: Path) -> dict[str, int]:
    """Voxel counts a segment label."""
    with tempfile.TemporaryDirectory() as folder:
        command = [programs / "segimage2itkimage", "--inputDICOM", path, "--outputDirectory", folder, "--outputType", "nrrd"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else "failed")
        counts = {}
        for nrrd in sorted(Path(folder).glob("*.nrrd")):
            head, body = nrrd.read_bytes().split(b"\n\n", 1)
            kind = {"short": "<i2", "unsigned char": "u1", "unsigned short": "<u2", "int": "<i4"}[
                next(line for line in head.decode().splitlines() if line.startswith("type: "))[6:]]
            values = np.frombuffer(gzip.decompress(body), kind)
            for value in np.unique(values[values != 0]):
                counts[int(value)] = counts.get(int(value), 0) + int((values == value).sum())
        return counts


def compare(name: str, found: np.ndarray, wanted: np.ndarray):
    wrong = int((found != wanted).sum()) if found.shape == wanted.shape else -1
    if wrong:
        yield f"{name}: {wrong} of {wanted.size} voxels differ (shapes {found.shape} and {wanted.shape})"


def recoded(folder: Path, kind: str, truth: Truth):
    """The same in other transfer syntaxes, by pydicom."""
    for path in sorted((folder / kind).glob("segmentation-*.dcm")):
        seg = pydicom.dcmread(path)
        if seg.file_meta.TransferSyntaxUID == DEFLATED_FRAMES:
            inflate_frames(seg)
        yield from compare(f"{kind}: pydicom: {path.stem}", by_pydicom(seg, truth, kind), truth.of(kind))


def inflate_frames(seg: pydicom.Dataset) -> None:
    """Deflated Image Frame Compression (PS3.5 A.4.13) by Python's zlib, into native frames: pydicom does not know it."""
    frames = pydicom.encaps.generate_frames(seg.PixelData, number_of_frames=seg.NumberOfFrames)
    inflated = [zlib.decompressobj(-15).decompress(frame) for frame in frames]
    if seg.BitsAllocated == 1:
        pixels = seg.Rows * seg.Columns
        bits = [np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")[:pixels] for frame in inflated]
        value = np.packbits(np.concatenate(bits), bitorder="little").tobytes()
    else:
        value = b"".join(inflated)
    seg.PixelData = value + b"\0" * (len(value) % 2)
    seg["PixelData"].is_undefined_length = False
    seg.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian


def check(folder: Path, kind: str, truth: Truth, programs: Path | None):
    path = folder / kind / "segmentation.dcm"
    if not path.is_file():
        yield f"{kind}: no segmentation.dcm"
        return
    seg, wanted = pydicom.dcmread(path), truth.of(kind)
    if seg.SegmentationType.lower() != kind:
        yield f"{kind}: written as {seg.SegmentationType}"
        return
    yield from compare(f"{kind}: pydicom", by_pydicom(seg, truth, kind), wanted)
    yield from recoded(folder, kind, truth)
    try:
        yield from compare(f"{kind}: highdicom", by_highdicom(path, truth, kind), wanted)
    except Exception as error:  # whatever a reader of others dislikes is a complaint
        yield f"{kind}: highdicom: {type(error).__name__}: {error}"
    if programs and truth.in_patient and kind != "fractional":
        try:
            counts = by_dcmqi(path, programs)
        except RuntimeError as error:
            yield f"{kind}: dcmqi: {error}"
            return
        wanted_counts = {n: int(mask.sum()) for n, mask in enumerate(truth.masks, 1)}
        if counts != wanted_counts:
            yield f"{kind}: dcmqi counts {counts}, not {wanted_counts}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dcmqi", type=Path)
    arguments = parser.parse_args()
    truth = Truth(arguments.folder / "truth")
    complaints = [line for kind in KINDS for line in check(arguments.folder, kind, truth, arguments.dcmqi)]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
