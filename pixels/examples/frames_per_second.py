"""The Python side of frames_per_second: makes the files, then times pydicom's decoders when told to.

usage: frames_per_second.py FOLDER

Writes for each file a line `label<tab>path<tab>decoders`, then an empty line. Then answers each line `path<tab>decoder<tab>count` with the
seconds that `count` decodes of frame 0 took.
"""

import copy
import sys
import time
import warnings
from pathlib import Path

import data_store
import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import UID

warnings.simplefilter("ignore")
STORE = Path(data_store.__file__).parent / "data"
TESTS = Path(pydicom.__file__).parent / "data" / "test_files"
JPEG = "1.2.840.10008.1.2.4."


def encoded(dataset, syntax, stream, photometric=None):
    dataset = copy.deepcopy(dataset)
    dataset.PixelData = encapsulate([stream + b"\\0" * (len(stream) % 2)])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PhotometricInterpretation = photometric or dataset.PhotometricInterpretation
    return dataset


def copies(dataset, label):
    """One image in every lossless encoding."""
    array = dataset.pixel_array
    unsigned = array.view(f"u{array.dtype.itemsize}")
    color = array.ndim == 3
    rct = "YBR_RCT" if color else None
    yield f"{label}, uncompressed", dataset
    rle = copy.deepcopy(dataset)
    rle.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    yield f"{label}, RLE", rle
    options = {"colorspace": "RGB", "outcolorspace": "RGB"} if color else {}
    bits = {} if color else {"bitspersample": 16}
    stream = imagecodecs.jpeg8_encode(unsigned, lossless=True, predictor=1, **bits, **options)
    yield f"{label}, JPEG Lossless SV1", encoded(dataset, JPEG + "70", stream)
    stream = imagecodecs.jpegls_encode(unsigned)
    yield f"{label}, JPEG-LS", encoded(dataset, JPEG + "80", stream)
    stream = imagecodecs.jpeg2k_encode(unsigned, level=0, reversible=True, codecformat="j2k", mct=color)
    yield f"{label}, JPEG 2000", encoded(dataset, JPEG + "90", stream, rct)
    stream = imagecodecs.htj2k_encode(unsigned, reversible=True, rgb=color or None)
    yield f"{label}, HTJ2K", encoded(dataset, JPEG + "201", stream, rct)
    stream = imagecodecs.jpegxl_encode(unsigned, lossless=True)
    yield f"{label}, JPEG XL", encoded(dataset, JPEG + "110", stream)


def images():
    yield from copies(pydicom.dcmread(STORE / "693_UNCR.dcm"), "CT 512 x 512")
    yield from copies(pydicom.dcmread(STORE / "RG1_UNCR.dcm"), "CR 1841 x 1955")
    yield from copies(pydicom.dcmread(STORE / "US1_UNCR.dcm"), "US 640 x 480 RGB")
    yield "US 640 x 480, JPEG Baseline 4:2:2", pydicom.dcmread(STORE / "color3d_jpeg_baseline.dcm")
    yield "NM 256 x 1024, JPEG Extended 12 bit", pydicom.dcmread(TESTS / "JPGExtended.dcm")


def decoders(dataset):
    """Names of what can decode it: pydicom's plugins, or imagecodecs where pydicom has none."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.startswith(JPEG + "11"):
        return ["imagecodecs"]
    decoder = get_decoder(syntax)
    names = ["numpy"] if decoder.is_native else sorted(decoder.available_plugins)
    return [name for name in names if works(dataset, name)]


def works(dataset, name):
    try:
        decode(dataset, name)
    except Exception:
        return False
    return True


def decode(dataset, name):
    if name == "imagecodecs":
        return imagecodecs.jpegxl_decode(next(pydicom.encaps.generate_frames(dataset.PixelData)), numthreads=1)
    plugin = "" if name == "numpy" else name
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    return decoder.as_array(dataset, index=0, raw=True, decoding_plugin=plugin)[0]


def save(dataset, path):
    """pydicom 3.0 does not write JPEG XL; a transfer syntax with a UID of the same length stands in for it."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == JPEG + "110":
        dataset.file_meta.TransferSyntaxUID = UID(JPEG + "100")
    dataset.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(dataset.file_meta.TransferSyntaxUID.encode(), syntax.encode(), 1))


def main():
    folder = Path(sys.argv[1])
    files = {}
    for number, (label, dataset) in enumerate(images()):
        path = folder / f"{number}.dcm"
        save(dataset, path)
        files[str(path)] = pydicom.dcmread(path)
        files[str(path)].PixelData  # read before anything is timed
        print(label, path, ",".join(decoders(files[str(path)])), sep="\t", flush=True)
    print(flush=True)
    for line in sys.stdin:
        path, name, count = line.rstrip("\n").split("\t")
        start = time.perf_counter()
        for _ in range(int(count)):
            decode(files[path], name)
        print(time.perf_counter() - start, flush=True)


np.seterr(all="ignore")
main()
