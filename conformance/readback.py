"""Reads our SEG and SR back with other people's readers and compares them with each other and with the source.

    python readback.py SOURCE_FOLDER SEGMENTATION REPORT [--dcmqi FOLDER_OF_ITS_PROGRAMS]

Prints one complaint a line, or nothing; exit 1 when there is one. Asked are:
- highdicom: the SEG opens; every frame lies on a source slice to under 0.001 mm; voxel counts per segment;
- dcmqi: the same voxels at the same places (its NRRD files against highdicom's arrays);
- highdicom: the SR opens as Comprehensive 3D SR; a measurement group for each segment with its tracking UID, and the
  volume in it is what the voxels add up to, and mean and deviation are what source and mask give.
"""

import argparse
import gzip
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset

POSITION_TOLERANCE_MM = 0.001
RELATIVE_TOLERANCE = 1e-4
DERIVATION = "121401"  # (121401, DCM, "Derivation")


def read_source(folder: Path) -> dict[str, Dataset]:
    files = (pydicom.dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file())
    return {data_set.SOPInstanceUID: data_set for data_set in files}


def intensities(source: Dataset) -> np.ndarray:
    return source.pixel_array * float(source.get("RescaleSlope", 1)) + float(source.get("RescaleIntercept", 0))


def frames_of(seg: Dataset):
    """Segment number, source instance and position of each frame, as the functional groups say."""
    for item in seg.PerFrameFunctionalGroupsSequence:
        number = item.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        position = np.array(item.PlanePositionSequence[0].ImagePositionPatient, float)
        derivation = item.DerivationImageSequence[0].SourceImageSequence[0]
        yield number, derivation.ReferencedSOPInstanceUID, position


def check_frames(seg: Dataset, source: dict[str, Dataset]):
    shared = seg.SharedFunctionalGroupsSequence[0]
    orientation = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    spacing = np.array(shared.PixelMeasuresSequence[0].PixelSpacing, float)
    for index, (_, uid, position) in enumerate(frames_of(seg), 1):
        if uid not in source:
            yield f"frame {index}: its source {uid} is not in the series"
            continue
        of = source[uid]
        off = np.abs(position - np.array(of.ImagePositionPatient, float)).max()
        size = max(of.Rows, of.Columns)
        off += np.abs(orientation - np.array(of.ImageOrientationPatient, float)).max() * size * spacing.max()
        off += np.abs(spacing - np.array(of.PixelSpacing, float)).max() * size
        if off >= POSITION_TOLERANCE_MM:
            yield f"frame {index}: up to {off:.6f} mm off its source slice"


def masks(seg: Dataset, source: dict[str, Dataset]) -> dict[int, dict[str, np.ndarray]]:
    """Per segment number, per source instance: the mask of that slice."""
    pixels = seg.pixel_array
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    found: dict[int, dict[str, np.ndarray]] = {}
    for frame, (number, uid, _) in zip(pixels, frames_of(seg)):
        found.setdefault(number, {})[uid] = frame.astype(bool)
    return found


def read_nrrd(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voxels as [k][j][i], the matrix from (i, j, k) to LPS, and the origin."""
    header, body = path.read_bytes().split(b"\n\n", 1)
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line)
    sizes = [int(word) for word in fields["sizes"].split()]
    kind = {"short": "<i2", "unsigned char": "u1", "unsigned short": "<u2", "int": "<i4"}[fields["type"]]
    body = gzip.decompress(body) if fields["encoding"] == "gzip" else body
    vectors = [[float(x) for x in v.split(",")] for v in re.findall(r"\(([^)]*)\)", fields["space directions"])]
    origin = np.array([float(x) for x in fields["space origin"].strip("()").split(",")])
    return np.frombuffer(body, kind).reshape(sizes[::-1]), np.array(vectors).T, origin


def check_dcmqi(programs: Path, seg_file: Path, found, source: dict[str, Dataset]):
    with tempfile.TemporaryDirectory() as folder:
        command = [programs / "segimage2itkimage", "--inputDICOM", seg_file, "--outputDirectory", folder, "-t", "nrrd"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            yield f"dcmqi cannot read the SEG: {done.stdout[-300:]} {done.stderr[-300:]}"
            return
        for number, slices in found.items():
            nrrd = next(Path(folder).glob(f"{number}.nrrd"), None)
            if nrrd is None:
                yield f"dcmqi gave no volume for segment {number}"
                continue
            yield from compare_volume(number, slices, source, *read_nrrd(nrrd))


def compare_volume(number, slices, source, voxels, matrix, origin):
    if np.count_nonzero(voxels) != sum(int(mask.sum()) for mask in slices.values()):
        yield f"segment {number}: dcmqi counts {np.count_nonzero(voxels)} voxels, highdicom another number"
        return
    inverse = np.linalg.inv(matrix)
    for uid, mask in slices.items():
        rows, columns = np.nonzero(mask)
        of = source[uid]
        along_row, along_column = np.array(of.ImageOrientationPatient, float).reshape(2, 3)
        down, right = np.array(of.PixelSpacing, float)
        places = np.array(of.ImagePositionPatient, float)[:, None] + along_row[:, None] * right * columns
        places = places + along_column[:, None] * down * rows
        index = inverse @ (places - origin[:, None])
        nearest = np.rint(index).astype(int)
        off = np.abs(matrix @ (index - nearest)).max()
        i, j, k = nearest
        if off > 0.01 or not voxels[k, j, i].all():
            yield f"segment {number}: dcmqi has other voxels than highdicom in {uid} (grid off by {off:.4f} mm)"
            return


def expected_measurements(slices, source: dict[str, Dataset], spacing_between: float):
    values = np.concatenate([intensities(source[uid])[mask] for uid, mask in slices.items()])
    row, column = (float(x) for x in next(iter(source.values())).PixelSpacing)
    return len(values) * row * column * spacing_between, values.mean(), values.std()


def slice_distance(source: dict[str, Dataset]) -> float:
    first = next(iter(source.values()))
    along_row, along_column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(along_row, along_column)
    depths = np.sort([np.dot(normal, np.array(x.ImagePositionPatient, float)) for x in source.values()])
    return (depths[-1] - depths[0]) / (len(depths) - 1)


def check_report(report_file: Path, seg: Dataset, found, source: dict[str, Dataset]):
    report = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(report_file))
    groups = report.content.get_volumetric_roi_measurement_groups()
    by_tracking = {group.tracking_uid: group for group in groups}
    if len(groups) != len(seg.SegmentSequence):
        yield f"{len(groups)} measurement groups for {len(seg.SegmentSequence)} segments"
    distance = slice_distance(source)
    for segment in seg.SegmentSequence:
        label, group = segment.SegmentLabel, by_tracking.get(segment.get("TrackingUID"))
        if group is None:
            yield f"{label}: no measurement group has its tracking UID"
            continue
        expected = expected_measurements(found[segment.SegmentNumber], source, distance)
        yield from compare_measurements(label, group, expected)


def to_cubic_millimetres(value: float, unit: str) -> float:
    return value * {"mm3": 1.0, "cm3": 1000.0, "ml": 1000.0, "mL": 1000.0}[unit]


def compare_measurements(label: str, group, expected):
    volume, mean, deviation = expected
    found = {}
    for measurement in group.get_measurements():
        derivations = [item for item in measurement[0].get("ContentSequence", [])
                       if item.ConceptNameCodeSequence[0].CodeValue == DERIVATION]
        derivation = derivations[0].ConceptCodeSequence[0].CodeMeaning if derivations else ""
        found[(measurement.name.meaning, derivation)] = (measurement.value, measurement.unit.value)
    volumes = [to_cubic_millimetres(*v) for (name, _), v in found.items() if name == "Volume"]
    means = [v for (_, derivation), (v, _) in found.items() if derivation == "Mean"]
    deviations = [v for (_, derivation), (v, _) in found.items() if "Deviation" in derivation]
    for name, values, right in [("volume", volumes, volume), ("mean", means, mean), ("deviation", deviations, deviation)]:
        if len(values) != 1:
            yield f"{label}: {len(values)} values for {name} in {sorted(found)}"
        elif abs(values[0] - right) > RELATIVE_TOLERANCE * max(abs(right), 1.0):
            yield f"{label}: {name} is {values[0]}, source and mask give {right}"


def complaints(arguments):
    source = read_source(arguments.source)
    seg = hd.seg.segread(arguments.segmentation)
    yield from check_frames(seg, source)
    found = masks(seg, source)
    if arguments.dcmqi:
        yield from check_dcmqi(arguments.dcmqi, arguments.segmentation, found, source)
    yield from check_report(arguments.report, seg, found, source)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("segmentation", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--dcmqi", type=Path)
    found = list(complaints(parser.parse_args()))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
