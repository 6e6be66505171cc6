"""Makes source images of kinds that no test data has, for the conformance matrix.

    python make_sources.py CT_FOLDER OUT

CT_FOLDER holds one CT series. Below OUT comes one folder a source: Legacy Converted Enhanced CT of that series, PET of
it, and formula images without a place in the patient (CR, MG, Secondary Capture in grey and in RGB, ultrasound cine,
endoscopic video). Everything in them is made up; all times and UIDs are fixed, so that two runs give the same files.
"""

import copy
import sys
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, UID, generate_uid

ROWS, COLUMNS = 61, 75  # odd, so that frames of bits do not end at bytes


def uid(*parts: str) -> UID:
    return generate_uid(prefix="2.25.", entropy_srcs=["conformance", *parts])


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def header(name: str, sop_class: str, modality: str) -> Dataset:
    """Patient, study, series and equipment that every IOD asks for."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = sop_class, uid(name, "instance")
    data.StudyInstanceUID, data.SeriesInstanceUID = uid(name, "study"), uid(name, "series")
    data.Modality, data.SeriesNumber, data.InstanceNumber = modality, 3, 1
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Made^Up", "MADE-1", "19500505", "O"
    data.StudyDate = data.SeriesDate = data.ContentDate = data.AcquisitionDate = "20260102"
    data.StudyTime = data.SeriesTime = data.ContentTime = data.AcquisitionTime = "101112"
    data.AccessionNumber, data.StudyID, data.ReferringPhysicianName = "A-7", "7", ""
    data.Manufacturer, data.ManufacturerModelName = "Makers", "Formula"
    data.DeviceSerialNumber, data.SoftwareVersions = "1", "1.0"
    return data


def put_pixels(data: Dataset, frames: int, colour: bool) -> None:
    """A moving disc, as frames x rows x columns (x 3) of eight bits."""
    k, j, i = np.mgrid[0:frames, 0:ROWS, 0:COLUMNS]
    disc = np.hypot(i - COLUMNS / 2 - k, j - ROWS / 2) < 17
    grey = (40 + 120 * disc + i).astype(np.uint8)
    pixels = np.stack([grey, grey // 2, 255 - grey], axis=-1) if colour else grey
    data.Rows, data.Columns = ROWS, COLUMNS
    data.SamplesPerPixel = 3 if colour else 1
    data.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OB"


def cr() -> Dataset:
    data = header("cr", "1.2.840.10008.5.1.4.1.1.1", "CR")
    put_pixels(data, 1, False)
    data.ImageType, data.PatientOrientation, data.BodyPartExamined, data.ViewPosition = ["ORIGINAL", "PRIMARY"], ["L", "F"], "CHEST", "PA"
    data.ImagerPixelSpacing = [0.2, 0.2]
    return data


def mammogram() -> Dataset:
    data = header("mg", "1.2.840.10008.5.1.4.1.1.1.2", "MG")
    put_pixels(data, 1, False)
    data.ImageType, data.PresentationIntentType = ["ORIGINAL", "PRIMARY", ""], "FOR PRESENTATION"
    data.PatientOrientation, data.BodyPartExamined, data.ImageLaterality = ["A", "F"], "BREAST", "L"
    data.PixelSpacing = data.ImagerPixelSpacing = [0.1, 0.1]
    data.PixelIntensityRelationship, data.PixelIntensityRelationshipSign = "LIN", 1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType, data.PresentationLUTShape = 0, 1, "US", "IDENTITY"
    data.LossyImageCompression, data.BurnedInAnnotation, data.PositionerType, data.OrganExposed = "00", "NO", "MAMMOGRAPHIC", "BREAST"
    data.DetectorType, data.WindowCenter, data.WindowWidth = "SCINTILLATOR", 128, 256
    data.AnatomicRegionSequence = Sequence([code("76752008", "SCT", "Breast")])
    data.ViewCodeSequence = Sequence([code("399162004", "SCT", "cranio-caudal")])
    data.ViewCodeSequence[0].ViewModifierCodeSequence = Sequence()
    data.AcquisitionContextSequence = Sequence()
    return data


def secondary_capture(name: str, colour: bool) -> Dataset:
    data = header(name, "1.2.840.10008.5.1.4.1.1.7", "OT")
    put_pixels(data, 1, colour)
    data.ConversionType, data.PatientOrientation, data.ImageType = "WSD", "", ["DERIVED", "SECONDARY"]
    return data


def cine() -> Dataset:
    data = header("us-cine", "1.2.840.10008.5.1.4.1.1.3.1", "US")
    put_pixels(data, 5, False)
    data.NumberOfFrames, data.FrameTime, data.FrameIncrementPointer = 5, 40, 0x00181063
    data.ImageType, data.PatientOrientation, data.LossyImageCompression = ["ORIGINAL", "PRIMARY"], "", "00"
    return data


def video() -> Dataset:
    data = header("es-video", "1.2.840.10008.5.1.4.1.1.77.1.1.1", "ES")
    put_pixels(data, 4, True)
    data.NumberOfFrames, data.FrameTime, data.FrameIncrementPointer = 4, 40, 0x00181063
    data.ImageType, data.PatientOrientation, data.LossyImageCompression = ["ORIGINAL", "PRIMARY"], "", "00"
    data.AcquisitionContextSequence = Sequence()
    return data


def read(folder: Path) -> list[Dataset]:
    files = [pydicom.dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    return sorted(files, key=lambda data: float(data.ImagePositionPatient[2]))


def legacy_enhanced(slices: list[Dataset]) -> list[Dataset]:
    slices = [copy.deepcopy(data) for data in slices]
    made = hd.legacy.LegacyConvertedEnhancedCTImage(
        slices, uid("legacy", "series"), 5, uid("legacy", "instance"), 1,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    return [made]


def positron(slices: list[Dataset]) -> list[Dataset]:
    """The CT as if it were PET: only what places slices and names values is asked for by us."""
    made = []
    for number, data in enumerate(slices, 1):
        data = copy.deepcopy(data)
        data.SOPClassUID, data.Modality = "1.2.840.10008.5.1.4.1.1.128", "PT"
        data.SOPInstanceUID, data.SeriesInstanceUID = uid("pt", str(number)), uid("pt", "series")
        data.FrameOfReferenceUID = uid("pt", "frame of reference")
        data.Units, data.RescaleIntercept, data.ImageIndex = "BQML", 0, number
        if "RescaleType" in data:
            del data.RescaleType
        made.append(data)
    return made


def write(folder: Path, images: list[Dataset]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(images, 1):
        pydicom.dcmwrite(folder / f"{number:04}.dcm", data, enforce_file_format=True)


def main() -> None:
    ct_folder, out = map(Path, sys.argv[1:])
    slices = read(ct_folder)
    for name, images in {
        "made-legacy-enhanced-ct": legacy_enhanced(slices), "made-pt": positron(slices),
        "made-cr": [cr()], "made-mg": [mammogram()], "made-sc-grey": [secondary_capture("sc-grey", False)],
        "made-sc-rgb": [secondary_capture("sc-rgb", True)], "made-us-cine": [cine()], "made-es-video": [video()],
    }.items():
        write(out / name, images)


if __name__ == "__main__":
    main()
