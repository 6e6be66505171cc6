"""Writes the first inputs of the target `frames`: small pictures made here, coded by encoders of others.

usage: streams.py FOLDER          needs numpy and imagecodecs; the folder is conformance/fuzz/corpus, or one to be minimised

The first six bytes of an input are those that `src/frames.rs` reads: transfer syntax, bits, colour, columns, rows, frames.
"""

import sys
import zlib
from pathlib import Path

import imagecodecs
import numpy as np

# The order of SYNTAXES, BITS and COLORS in src/frames.rs.
SYNTAXES = ["", ".1", ".2", ".1.99", ".1.98", ".8.1", ".5", ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81",
            ".4.90", ".4.91", ".4.201", ".4.202", ".4.203", ".4.110", ".4.112"]
BITS = {(8, 8): 0, (16, 16): 1, (16, 12): 2, (32, 32): 3, (1, 1): 4, (8, 7): 5, (16, 9): 6, (16, 2): 7}
GREY, RGB = 0, 2


def picture(bits, samples=1, rows=11, columns=13):
    rng = np.random.default_rng(bits)
    y, x = np.mgrid[0:rows, 0:columns]
    planes = [(x * (color + 1) + y * 2) * (2**bits - 1) // (columns * (color + 1) + 2 * rows) for color in range(samples)]
    array = np.stack(planes, -1) if samples > 1 else planes[0]
    array[-3:] = rng.integers(0, 2**bits, array[-3:].shape)
    return np.ascontiguousarray(array.astype(np.uint8 if bits <= 8 else np.uint16))


def write(folder, name, syntax, bits, stream, array, frames=1, raw=False):
    color = RGB if array.ndim == 3 else GREY
    selector = SYNTAXES.index(syntax) | (0x80 if raw else 0)
    head = bytes([selector, BITS[bits], color, array.shape[1] - 1, array.shape[0] - 1, frames - 1])
    (folder / name).write_bytes(head + stream)


def item(value):
    return b"\xfe\xff\x00\xe0" + len(value).to_bytes(4, "little") + value


def rle(array):
    width = array.dtype.itemsize
    planes = array.reshape(*array.shape[:2], -1).view(np.uint8).reshape(*array.shape[:2], -1, width)[..., ::-1]
    planes = planes.reshape(*array.shape[:2], -1)
    segments = []
    for plane in range(planes.shape[2]):
        segment = imagecodecs.packbits_encode(np.ascontiguousarray(planes[:, :, plane]))
        segments.append(segment + b"\0" * (len(segment) % 2))
    header = np.zeros(16, "<u4")
    header[0] = len(segments)
    header[1 : 1 + len(segments)] = np.cumsum([64] + [len(segment) for segment in segments[:-1]])
    return header.tobytes() + b"".join(segments)


def main():
    folder = Path(sys.argv[1]) / "frames"
    folder.mkdir(parents=True, exist_ok=True)
    grey, deep, color = picture(8), picture(16), picture(8, 3)
    for syntax in ("", ".1", ".2"):
        write(folder, f"native{syntax}", syntax, (16, 16), deep.tobytes(), deep)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = deflate.compress(deep.tobytes()) + deflate.flush()
    write(folder, "deflated-data-set", ".1.99", (16, 16), deflated, deep)
    write(folder, "deflated-frame", ".8.1", (16, 16), deflated, deep)
    write(folder, "encapsulated", ".1.98", (16, 16), deep.tobytes(), deep)
    for name, array, bits in [("8", grey, (8, 8)), ("16", deep, (16, 16)), ("rgb", color, (8, 8))]:
        write(folder, f"rle-{name}", ".5", bits, rle(array), array)
    table = item(b"\0" * 8)
    two = table + item(rle(grey)) + item(rle(grey)) + b"\xfe\xff\xdd\xe0\0\0\0\0"
    write(folder, "rle-two-frames", ".5", (8, 8), two, grey, frames=2, raw=True)
    for predictor in (1, 4, 7):
        stream = imagecodecs.jpeg8_encode(deep, lossless=True, predictor=predictor, bitspersample=16)
        write(folder, f"lossless-{predictor}", ".4.57", (16, 16), stream, deep)
    write(folder, "baseline", ".4.50", (8, 8), imagecodecs.jpeg8_encode(grey, level=90), grey)
    options = {"colorspace": "RGB", "outcolorspace": "RGB", "subsampling": "444"}
    write(folder, "baseline-rgb", ".4.50", (8, 8), imagecodecs.jpeg8_encode(color, level=90, **options), color)
    twelve = picture(12)
    write(folder, "extended", ".4.51", (16, 12), imagecodecs.jpeg8_encode(twelve, level=90, bitspersample=12), twelve)
    for near in (0, 2):
        write(folder, f"ls-{near}", ".4.81", (16, 16), imagecodecs.jpegls_encode(deep, level=near), deep)
    write(folder, "ls-rgb", ".4.80", (8, 8), imagecodecs.jpegls_encode(color, level=0), color)
    stream = imagecodecs.jpeg2k_encode(deep, level=0, reversible=True, bitspersample=16, codecformat="j2k")
    write(folder, "j2k", ".4.90", (16, 16), stream, deep)
    stream = imagecodecs.jpeg2k_encode(color, level=0, reversible=True, mct=True, codecformat="j2k")
    write(folder, "j2k-rgb", ".4.90", (8, 8), stream, color)
    write(folder, "htj2k", ".4.201", (16, 16), imagecodecs.htj2k_encode(deep, reversible=True), deep)
    write(folder, "htj2k-lossy", ".4.203", (16, 16), imagecodecs.htj2k_encode(twelve, reversible=False), twelve)
    write(folder, "xl", ".4.110", (16, 16), imagecodecs.jpegxl_encode(deep, lossless=True, bitspersample=16), deep)
    write(folder, "xl-lossy", ".4.112", (8, 8), imagecodecs.jpegxl_encode(color, lossless=False, distance=1.0), color)


main()
