"""Writes what pydicom reads from each file with pixels: one line a file, one array a decoder.

usage: frames.py FOLDER

FOLDER/files.tsv has, with tabs between: path, transfer syntax, Photometric Interpretation, bits allocated / stored / sign,
frames, and for each of pydicom's decoders `name=dtype=photometric=file` or `name!reason`. An array holds stored values
(no colour conversion, no modality transformation), frame after frame, the samples of a pixel together.
`shown=dtype=RGB or GREY=file` has the first frame as 8-bit RGB, or as grey levels through its VOI LUT or window.
"""

import sys
import warnings
from pathlib import Path

try:
    import data_store
    import numpy as np
    import pydicom
    import pydicom.data
    from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder
    from pydicom.pixels.processing import apply_voi, apply_windowing
    from pydicom.uid import UID
except ImportError as error:
    print(error)
    sys.exit(3)

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def files():
    """All files of pydicom's own test set and of pydicom-data."""
    for module in (pydicom.data, data_store):
        yield from sorted(path for path in Path(module.__file__).parent.rglob("*") if path.is_file())


def read(path):
    """The data set, if it is DICOM with pixels."""
    try:
        dataset = pydicom.dcmread(path)
    except Exception:  # whatever is no DICOM
        return None
    keywords = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    return dataset if any(keyword in dataset for keyword in keywords) else None


def plugins(decoder):
    """The decoders that pydicom has for a transfer syntax; none are needed for uncompressed ones."""
    return [""] if decoder.is_native else sorted(decoder.available_plugins)


def decoded(dataset, decoder, plugin):
    """Stored values by frame, and what they mean."""
    options = {"raw": True, "decoding_plugin": plugin, "allow_excess_frames": False}
    array, meta = decoder.as_array(dataset, **options)
    if meta["number_of_frames"] == 1:
        array = array[np.newaxis]
    return np.ascontiguousarray(array), meta["photometric_interpretation"]


def in_8_bits(array, bits):
    return np.floor(array.astype(np.float64) * 255 / (2**bits - 1) + 0.5).astype(np.uint8)


def grey(dataset, array):
    """Levels by VOI LUT or window; None without one."""
    values = apply_modality_lut(array, dataset)
    if dataset.get("VOILUTSequence"):
        bits = dataset.VOILUTSequence[0].LUTDescriptor[2]
        levels = in_8_bits(apply_voi(values.astype(np.int32), dataset), bits)
    elif "WindowCenter" in dataset and "ModalityLUTSequence" not in dataset:
        low = -(2 ** (dataset.BitsStored - 1)) if dataset.PixelRepresentation else 0
        slope, intercept = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
        least = low * float(slope) + float(intercept)
        span = (2**dataset.BitsStored - 1) * float(slope)
        levels = (apply_windowing(values, dataset) - least) / span * 255
    else:
        return None
    levels = np.round(levels).astype(np.uint8)
    return 255 - levels if dataset.PhotometricInterpretation == "MONOCHROME1" else levels


def turn_palettes(dataset):
    """pydicom leaves the words of OW tables in big endian, and then reads them as little endian."""
    for color in ("Red", "Green", "Blue"):
        name = f"{color}PaletteColorLookupTableData"
        if name in dataset and dataset[name].VR == "OW" and not dataset.original_encoding[1]:
            dataset[name].value = np.frombuffer(dataset[name].value, ">u2").astype("<u2").tobytes()


def shown(dataset, decoder, plugin):
    """The first frame as people see it: levels, and what they are."""
    array, meta = decoder.as_array(dataset, index=0, decoding_plugin=plugin)
    photometric = meta["photometric_interpretation"]
    if photometric == "PALETTE COLOR":
        turn_palettes(dataset)
        array = apply_color_lut(array, dataset)
        return (array >> 8 if array.dtype.itemsize == 2 else array).astype(np.uint8), "RGB"
    if array.ndim == 3:
        wide = array.dtype.itemsize > 1
        return (in_8_bits(array, meta["bits_stored"]) if wide else array), "RGB"
    return grey(dataset, array), "GREY"


def one_line(text):
    return " ".join(str(text).split())


def describe(path, dataset, folder, number):
    """The line of a file; its arrays are written beside it."""
    meta = dataset.file_meta
    syntax = UID(meta.get("TransferSyntaxUID", ""))
    bits = "/".join(
        str(dataset.get(keyword, "-"))
        for keyword in ("BitsAllocated", "BitsStored", "PixelRepresentation")
    )
    fields = [path, str(syntax) or "-", dataset.get("PhotometricInterpretation", "-"), bits]
    fields.append(dataset.get("NumberOfFrames", 1) or 1)
    try:
        decoder = get_decoder(syntax)
    except Exception as error:
        return [*fields, f"pydicom!{one_line(error)}"]
    for plugin in plugins(decoder):
        name = plugin or "numpy"
        try:
            array, photometric = decoded(dataset, decoder, plugin)
        except Exception as error:
            fields.append(f"{name}!{one_line(error)[:200]}")
            continue
        file = folder / f"{number}-{name}.bin"
        array.astype(array.dtype.newbyteorder("<")).tofile(file)
        fields.append(f"{name}={array.dtype.kind}{array.dtype.itemsize}={photometric}={file}")
        fields[4] = array.shape[0]
    working = [field.split("=")[0] for field in fields[5:] if "=" in field]
    if working:
        fields.extend(describe_shown(dataset, decoder, working[0], folder / f"{number}-shown.bin"))
    return fields


def describe_shown(dataset, decoder, name, file):
    levels, kind = shown(dataset, decoder, "" if name == "numpy" else name)
    if levels is None:
        return []
    levels.tofile(file)
    return [f"shown=u1={kind}={file}"]


def main():
    folder = Path(sys.argv[1])
    with open(folder / "files.tsv", "w") as table:
        for number, path in enumerate(files()):
            dataset = read(path)
            if dataset is not None:
                fields = describe(path, dataset, folder, number)
                print(*fields, sep="\t", file=table)


main()
