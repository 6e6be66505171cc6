"""Reads a SEG and an SR with highdicom and dcmqi and compares them with what they were written from.

    python readback.py EXPECTED.json SEGMENTATION REPORT

EXPECTED.json: size and spacing of the grid along i, j, k, origin and directions (mm, LPS), and for each segment a file of
one byte a voxel ([k][j][i]), its volume in mm3, mean and deviation. Prints one complaint a line; exit 1 when there is one.
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom

TOLERANCE_MM = 0.001


class Grid:
    def __init__(self, expected):
        self.size = expected["size"]
        self.origin = np.array(expected["origin"])
        self.matrix = np.array(expected["directions"]).T * np.array(expected["spacing"])

    def mask_of(self, voxels, matrix, origin):
        """Voxels [k][j][i] of another grid (matrix from i, j, k to mm), set into this one; and the worst distance in mm."""
        k, j, i = np.nonzero(voxels)
        places = matrix @ np.array([i, j, k], float) + origin[:, None]
        index = np.linalg.solve(self.matrix, places - self.origin[:, None])
        nearest = np.rint(index).astype(int)
        off = np.abs(self.matrix @ (index - nearest)).max(initial=0.0)
        mask = np.zeros(self.size[::-1], bool)
        mask[nearest[2], nearest[1], nearest[0]] = True
        return mask, off


def check_highdicom(grid, masks, segmentation):
    seg = hd.seg.segread(segmentation)
    for number, mask in enumerate(masks, 1):
        volume = seg.get_volume(segment_numbers=[number], combine_segments=False, allow_missing_positions=True)
        array = volume.array[..., 0]
        # highdicom's index order is slice, row, column.
        matrix, origin = volume.affine[:3, :3][:, ::-1], volume.affine[:3, 3]
        found, off = grid.mask_of(array, matrix, origin)
        if not np.array_equal(found, mask):
            yield f"highdicom: segment {number}: {found.sum()} voxels, {mask.sum()} were written"
        if off > TOLERANCE_MM:
            yield f"highdicom: segment {number}: {off} mm off the source grid"


def read_nrrd(path):
    header, body = path.read_bytes().split(b"\n\n", 1)
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line)
    sizes = [int(word) for word in fields["sizes"].split()]
    kind = {"short": "<i2", "unsigned char": "u1", "unsigned short": "<u2", "int": "<i4"}[fields["type"]]
    body = gzip.decompress(body) if fields["encoding"] == "gzip" else body
    vectors = [[float(x) for x in v.split(",")] for v in re.findall(r"\(([^)]*)\)", fields["space directions"])]
    origin = np.array([float(x) for x in fields["space origin"].strip("()").split(",")])
    return np.frombuffer(body, kind).reshape(sizes[::-1]), np.array(vectors).T, origin


def check_dcmqi(grid, masks, segmentation):
    program = Path(sys.executable).with_name("segimage2itkimage")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--inputDICOM", segmentation, "--outputDirectory", folder, "-t", "nrrd"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            yield f"dcmqi: {done.stdout[-300:]} {done.stderr[-300:]}"
            return
        for number, mask in enumerate(masks, 1):
            found, off = grid.mask_of(*read_nrrd(Path(folder) / f"{number}.nrrd"))
            if not np.array_equal(found, mask):
                yield f"dcmqi: segment {number}: {found.sum()} voxels, {mask.sum()} were written"
            # NRRD files carry six digits.
            if off > 10 * TOLERANCE_MM:
                yield f"dcmqi: segment {number}: {off} mm off the source grid"


def numbers_of(group):
    numbers = {}
    for item in group.get_measurements():
        content = item[0].get("ContentSequence", [])
        modifiers = [c.ConceptCodeSequence[0].CodeMeaning for c in content if c.ValueType == "CODE"]
        numbers[(item.name.meaning, *modifiers)] = (item.value, item.unit.value)
    return numbers


def check_report(expected, segmentation, report):
    document = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(report))
    groups = document.content.get_volumetric_roi_measurement_groups()
    seg = pydicom.dcmread(segmentation)
    if len(groups) != len(expected["segments"]):
        yield f"highdicom: {len(groups)} volumetric groups for {len(expected['segments'])} segments"
    for item, group, segment in zip(seg.SegmentSequence, groups, expected["segments"]):
        if group.tracking_uid != item.TrackingUID or group.tracking_identifier != item.TrackingID:
            yield f"{segment['label']}: tracking differs between SEG and SR"
        reference = group.referenced_segment
        if reference.referenced_sop_instance_uid != seg.SOPInstanceUID:
            yield f"{segment['label']}: the group refers to another instance"
        if reference.referenced_segment_numbers != [item.SegmentNumber]:
            yield f"{segment['label']}: the group refers to another segment"
        numbers = numbers_of(group)
        wanted = {("Volume", "Sum of segmented voxel method for volume"): (segment["volume_mm3"] / 1000, "cm3")}
        name, unit = expected["intensity"]
        wanted[(name, "Mean")] = (segment["mean"], unit)
        wanted[(name, "Standard Deviation")] = (segment["deviation"], unit)
        for key, (value, unit) in wanted.items():
            found = numbers.get(key)
            if found is None or found[1] != unit or abs(found[0] - value) > 1e-6 * max(1, abs(value)):
                yield f"{segment['label']}: {key} is {found}, not {value} {unit}"


def check_dcmqi_report(report):
    program = Path(sys.executable).with_name("tid1500reader")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--inputDICOM", report, "--outputMetadata", f"{folder}/out.json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0 or not json.loads(Path(folder, "out.json").read_text()).get("Measurements"):
            yield f"dcmqi cannot read the report: {done.stdout[-300:]} {done.stderr[-300:]}"


def complaints(expected_file, segmentation, report):
    expected = json.loads(Path(expected_file).read_text())
    grid = Grid(expected)
    shape = expected["size"][::-1]
    masks = [np.fromfile(s["voxels"], "u1").reshape(shape).astype(bool) for s in expected["segments"]]
    yield from check_highdicom(grid, masks, segmentation)
    yield from check_dcmqi(grid, masks, segmentation)
    yield from check_report(expected, segmentation, report)
    yield from check_dcmqi_report(report)


def main():
    found = list(complaints(*sys.argv[1:]))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
