"""The same work as `parsenode run` with the MeshNet manifest, written the usual way in Python.

Reads a T1-weighted series with pydicom, conforms it with SciPy, runs ONNX Runtime, maps the class probabilities
back to the source grid, and writes a SEG and a TID 1500 report with highdicom. `cargo xtask bench volume` runs it
beside parsenode. Usage: reference.py SERIES_FOLDER MODEL.onnx OUT_FOLDER
"""

import sys
from pathlib import Path

import highdicom as hd
import numpy as np
import onnxruntime
import pydicom
from highdicom.sr.coding import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid
from scipy.ndimage import affine_transform

SIZE = 256  # voxels a side of the conformed volume, 1 mm each
# Directions in which the model's axes grow, LPS: right to left, superior to inferior, posterior to anterior.
AXES = np.array([[1, 0, 0], [0, 0, -1], [0, -1, 0]], float).T
TISSUES = [(1, "Cerebral white matter", "389080008", "White Matter"), (2, "Cerebral grey matter", "389081007", "Gray Matter")]


def read(folder):
    """Data sets in order along the normal, the values [k, j, i], and the affine index (k, j, i) -> LPS mm."""
    sets = [pydicom.dcmread(path) for path in sorted(Path(folder).iterdir())]
    row, column = np.split(np.array(sets[0].ImageOrientationPatient, float), 2)
    normal = np.cross(row, column)
    sets.sort(key=lambda s: normal @ np.array(s.ImagePositionPatient, float))
    values = np.stack([s.pixel_array for s in sets]).astype(np.float32)
    values = values * float(sets[0].get("RescaleSlope", 1)) + float(sets[0].get("RescaleIntercept", 0))
    first, last = (np.array(s.ImagePositionPatient, float) for s in (sets[0], sets[-1]))
    between_rows, between_columns = map(float, sets[0].PixelSpacing)
    matrix = np.stack([(last - first) / (len(sets) - 1), column * between_rows, row * between_columns], 1)
    return sets, values.astype(np.float32), matrix, first


def conform(values, matrix, origin):
    """The conformed volume, and the affine from its indices to source indices."""
    centre = origin + matrix @ ((np.array(values.shape) - 1) / 2)
    start = centre - AXES @ np.full(3, (SIZE - 1) / 2)
    to_source = np.linalg.inv(matrix)
    step, offset = to_source @ AXES, to_source @ (start - origin)
    volume = affine_transform(values, step, offset, (SIZE,) * 3, order=1, output=np.float32)
    volume -= volume.min()
    return np.clip(volume / np.percentile(volume, 99.9), 0, 1), step, offset


def infer(model, volume):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    logits = session.run(["logits"], {"volume": volume[None, None].astype(np.float32)})[0][0]
    logits -= logits.max(0)
    probabilities = np.exp(logits)
    return probabilities / probabilities.sum(0)


def map_back(probabilities, step, offset, shape):
    back = np.linalg.inv(step)
    channels = [affine_transform(p, back, -back @ offset, shape, order=1, output=np.float32) for p in probabilities]
    return np.argmax(np.stack(channels), 0)


def write(sets, values, labels, voxel_ml, out):
    algorithm = hd.AlgorithmIdentificationSequence("meshnet-gwm-light", codes.DCM.ArtificialIntelligence, "1")
    anatomy = codes.SCT.AnatomicalStructure
    kinds = [CodedConcept(code, "SCT", meaning) for _, _, code, meaning in TISSUES]
    trackers = [generate_uid() for _ in TISSUES]
    segments = [
        hd.seg.SegmentDescription(n, label, anatomy, kind, "AUTOMATIC", algorithm, tracking_uid=uid, tracking_id=label)
        for (n, label, *_), kind, uid in zip(TISSUES, kinds, trackers)
    ]
    common = dict(series_instance_uid=generate_uid(), sop_instance_uid=generate_uid(), instance_number=1,
                  manufacturer="reference", device_serial_number="0")
    seg = hd.seg.Segmentation(sets, labels.astype(np.uint8), "BINARY", segments, series_number=900,
                              manufacturer_model_name="reference", software_versions="1", **common)
    seg.save_as(out / "segmentation.dcm")
    groups = [measure(sets, values, labels == n, voxel_ml, seg, n, kind, uid)
              for (n, *_), kind, uid in zip(TISSUES, kinds, trackers)]
    device = hd.sr.ObserverContext(codes.DCM.Device, hd.sr.DeviceObserverIdentifyingAttributes(uid=generate_uid()))
    report = hd.sr.MeasurementReport(hd.sr.ObservationContext(observer_device_context=device),
                                     CodedConcept("363679005", "SCT", "Imaging procedure"), groups)
    common.update(series_instance_uid=generate_uid(), sop_instance_uid=generate_uid())
    common.pop("device_serial_number")
    hd.sr.Comprehensive3DSR([*sets, seg], report[0], series_number=901, **common).save_as(out / "report.dcm")


def measure(sets, values, mask, voxel_ml, seg, number, kind, uid):
    inside = values[mask]
    print(f"{kind.meaning}: {mask.sum() * voxel_ml:.1f} mL, mean {inside.mean():.1f}, SD {inside.std():.1f}")
    unit = CodedConcept("1", "UCUM", "no units")
    signal = CodedConcept("110852", "DCM", "MR signal intensity")
    numbers = [hd.sr.Measurement(codes.SCT.Volume, float(mask.sum() * voxel_ml * 1000), codes.UCUM.CubicMillimeter),
               hd.sr.Measurement(signal, float(inside.mean()), unit, derivation=codes.SCT.Mean),
               hd.sr.Measurement(signal, float(inside.std()), unit, derivation=codes.SCT.StandardDeviation)]
    reference = hd.sr.ReferencedSegment.from_segmentation(seg, number)
    tracking = hd.sr.TrackingIdentifier(uid=uid, identifier=kind.meaning)
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking, referenced_segment=reference, finding_type=kind, measurements=numbers)


def main(folder, model, out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sets, values, matrix, origin = read(folder)
    volume, step, offset = conform(values, matrix, origin)
    labels = map_back(infer(model, volume), step, offset, values.shape)
    write(sets, values, labels, abs(np.linalg.det(matrix)) / 1000, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
