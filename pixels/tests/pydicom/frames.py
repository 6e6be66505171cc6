"""Writes what pydicom reads from each file with pixels: one line a file, one array a decoder.

usage: frames.py FOLDER

FOLDER/files.tsv has, with tabs between: path, transfer syntax, Photometric Interpretation, bits allocated / stored / sign,
frames, and for each of pydicom's decoders `name=dtype=photometric=file` or `name!reason`. An array holds stored values
(no colour conversion, no modality transformation), frame after frame, the samples of a pixel together.
"""

import sys
import warnings
from pathlib import Path

try:
    import data_store
    import numpy as np
    import pydicom
    import pydicom.data
    from pydicom.pixels import get_decoder
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
    return fields


def main():
    folder = Path(sys.argv[1])
    with open(folder / "files.tsv", "w") as table:
        for number, path in enumerate(files()):
            dataset = read(path)
            if dataset is not None:
                fields = describe(path, dataset, folder, number)
                print(*fields, sep="\t", file=table)


main()
