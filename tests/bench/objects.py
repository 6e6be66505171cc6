"""The same objects as `tests/examples/objects.rs`, by highdicom: from the same arrays, with the same content.

    python objects.py binary|report CT_200 FOLDER
    python objects.py labelmap CT_300 FOLDER
    python objects.py nrrd CT_200 FOLDER       what dcmqi's itkimage2segimage reads: organs.nrrd and organs.json

Prints the time in seconds of making and writing; reading headers and arrays is not in it. The report measures volume,
mean, deviation, extremes and median only: surface, diameter and axes, which ours has, are left out here.
"""

import json
import sys
import time
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
from highdicom.sr.coding import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RLELossless


def slices_of(folder: Path) -> list[pydicom.Dataset]:
    found = [pydicom.dcmread(path, stop_before_pixels=False) for path in folder.iterdir()]
    return sorted(found, key=lambda data: float(data.ImagePositionPatient[2]))


def description(number: int) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number, segment_label=f"Organ {number}",
        segmented_property_category=CodedConcept("91723000", "SCT", "Anatomical Structure"),
        segmented_property_type=CodedConcept("10200004", "SCT", "Liver"),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm(), tracking_uid=hd.UID(), tracking_id=f"Organ {number}",
    )


def algorithm() -> hd.AlgorithmIdentificationSequence:
    return hd.AlgorithmIdentificationSequence(name="bench", version="1", family=codes.cid7162.ArtificialIntelligence)


def segmentation(slices, labels: np.ndarray, kind, syntax) -> hd.seg.Segmentation:
    return hd.seg.Segmentation(
        source_images=slices, pixel_array=labels, segmentation_type=kind,
        segment_descriptions=[description(number) for number in range(1, int(labels.max()) + 1)],
        series_instance_uid=hd.UID(), series_number=9001, sop_instance_uid=hd.UID(), instance_number=1,
        manufacturer="parsenode", manufacturer_model_name="bench", software_versions="1", device_serial_number="1",
        transfer_syntax_uid=syntax,
    )


def binary(slices, labels: np.ndarray, out: Path) -> None:
    made = segmentation(slices, labels, hd.seg.SegmentationTypeValues.BINARY, ExplicitVRLittleEndian)
    made.save_as(out / "theirs-binary.dcm")


def labelmap(slices, labels: np.ndarray, out: Path) -> None:
    made = segmentation(slices, labels, hd.seg.SegmentationTypeValues.LABELMAP, RLELossless)
    made.save_as(out / "theirs-labelmap.dcm")


def measurements(values: np.ndarray, voxel_mm3: float) -> list:
    def number(name, value, unit, derivation=None):
        return hd.sr.Measurement(name=name, value=float(value), unit=unit, derivation=derivation)

    attenuation, hounsfield = CodedConcept("112031", "DCM", "Attenuation Coefficient"), codes.UCUM.HounsfieldUnit
    return [
        number(codes.SCT.Volume, values.size * voxel_mm3 / 1000, codes.UCUM.CubicCentimeter),
        number(attenuation, values.mean(), hounsfield, codes.SCT.Mean),
        number(attenuation, values.std(), hounsfield, codes.SCT.StandardDeviation),
        number(attenuation, values.min(), hounsfield, codes.SCT.Minimum),
        number(attenuation, values.max(), hounsfield, codes.SCT.Maximum),
        number(attenuation, np.median(values), hounsfield, codes.SCT.Median),
    ]


def report(slices, labels: np.ndarray, out: Path) -> None:
    first = slices[0]
    volume = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices]).astype(np.float32)
    started = time.perf_counter()
    seg = segmentation(slices, labels, hd.seg.SegmentationTypeValues.BINARY, ExplicitVRLittleEndian)
    spacing = float(slices[1].ImagePositionPatient[2]) - float(first.ImagePositionPatient[2])
    voxel_mm3 = float(first.PixelSpacing[0]) * float(first.PixelSpacing[1]) * spacing
    device = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(uid=hd.UID()))
    groups = []
    for number in range(1, int(labels.max()) + 1):
        referenced = hd.sr.ReferencedSegment(
            sop_class_uid=seg.SOPClassUID, sop_instance_uid=seg.SOPInstanceUID, segment_number=number,
            source_series=hd.sr.SourceSeriesForSegmentation(first.SeriesInstanceUID))
        groups.append(hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=hd.sr.TrackingIdentifier(hd.UID(), f"Organ {number}"),
            referenced_segment=referenced, finding_category=CodedConcept("91723000", "SCT", "Anatomical Structure"),
            finding_type=CodedConcept("10200004", "SCT", "Liver"),
            algorithm_id=hd.sr.AlgorithmIdentification("bench", "1"),
            measurements=measurements(volume[labels == number], voxel_mm3)))
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=device),
        procedure_reported=CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=groups,
        referenced_images=slices)
    made = hd.sr.Comprehensive3DSR(
        evidence=[*slices, seg], content=content, series_number=9002, series_instance_uid=hd.UID(),
        sop_instance_uid=hd.UID(), instance_number=1, manufacturer="parsenode")
    made.save_as(out / "theirs-report.dcm")
    print(f"{time.perf_counter() - started:.4f}")


def nrrd(slices, labels: np.ndarray, out: Path) -> None:
    """The labels with the geometry of the CT, and who they are."""
    first = slices[0]
    rows, columns = map(float, first.PixelSpacing)
    normal = float(slices[1].ImagePositionPatient[2]) - float(first.ImagePositionPatient[2])
    origin = ",".join(str(float(mm)) for mm in first.ImagePositionPatient)
    header = "\n".join([
        "NRRD0004", "type: unsigned char", "dimension: 3", "space: left-posterior-superior",
        f"sizes: {first.Columns} {first.Rows} {len(slices)}",
        f"space directions: ({columns},0,0) (0,{rows},0) (0,0,{normal})",
        "kinds: domain domain domain", "encoding: raw", f"space origin: ({origin})", "", ""])
    (out / "organs.nrrd").write_bytes(header.encode() + labels.tobytes())

    def code(value, meaning):
        return {"CodeValue": value, "CodingSchemeDesignator": "SCT", "CodeMeaning": meaning}

    segments = [{
        "labelID": number, "SegmentDescription": f"Organ {number}", "SegmentLabel": f"Organ {number}",
        "SegmentAlgorithmType": "AUTOMATIC", "SegmentAlgorithmName": "bench",
        "SegmentedPropertyCategoryCodeSequence": code("91723000", "Anatomical Structure"),
        "SegmentedPropertyTypeCodeSequence": code("10200004", "Liver")} for number in range(1, int(labels.max()) + 1)]
    meta = {"ContentCreatorName": "bench", "SeriesDescription": "bench", "SeriesNumber": "9", "InstanceNumber": "1",
            "BodyPartExamined": "ABDOMEN", "segmentAttributes": [segments]}
    (out / "organs.json").write_text(json.dumps(meta))


def main() -> None:
    what, ct, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    slices = slices_of(ct)
    name = "many.raw" if what == "labelmap" else "organs.raw"
    labels = np.fromfile(folder / name, np.uint8).reshape(len(slices), slices[0].Rows, slices[0].Columns)
    if what == "nrrd":
        nrrd(slices, labels, folder)
        return
    if what == "report":
        report(slices, labels, folder)
        return
    started = time.perf_counter()
    {"binary": binary, "labelmap": labelmap}[what](slices, labels, folder)
    print(f"{time.perf_counter() - started:.4f}")


if __name__ == "__main__":
    main()
