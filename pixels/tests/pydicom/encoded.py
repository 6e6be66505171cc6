"""Writes code streams of pictures made here, by encoders of others, and what their decoders make of them.

usage: encoded.py FOLDER

FOLDER/streams.tsv has, with tabs between: name, transfer syntax, rows, columns, samples, bits allocated, bits stored, sign,
Photometric Interpretation, largest difference allowed, file of the code stream, file of the values (little endian, as wide as allocated).
"""

import sys
import zlib
from pathlib import Path

try:
    import imagecodecs
    import numpy as np
except ImportError as error:
    print(error)
    sys.exit(3)

JPEG = "1.2.840.10008.1.2.4."
ROWS, COLUMNS = 61, 83


def picture(bits, samples=1, rows=ROWS, columns=COLUMNS):
    """A ramp with waves, a flat part, a part of noise, and the extremes."""
    rng = np.random.default_rng(bits)
    top = 2**bits - 1
    y, x = np.mgrid[0:rows, 0:columns]
    planes = []
    for color in range(samples):
        plane = (x * (color + 1) + y * 2) / (columns * (color + 1) + 2 * rows) * top
        plane = plane + np.sin(x / 5 + color) * top / 16
        plane[: rows // 4, : columns // 2] = top // 3
        plane[-rows // 4 :, columns // 3 :] = rng.integers(0, top + 1, (rows, columns))[-rows // 4 :, columns // 3 :]
        plane[rows // 2, :5] = [0, top, 0, top, top // 2]
        planes.append(np.clip(plane, 0, top))
    array = np.stack(planes, -1) if samples > 1 else planes[0]
    return np.ascontiguousarray(array.astype(np.uint8 if bits <= 8 else np.uint16))


class Case:
    """A code stream, what it decodes to, and how the header describes it."""

    def __init__(self, name, syntax, bits, stream, values, tolerance=0, photometric=None):
        self.name, self.syntax, self.bits = name, syntax, bits
        self.stream, self.values, self.tolerance = stream, values, tolerance
        self.photometric = photometric or ("RGB" if values.ndim == 3 else "MONOCHROME2")

    def write(self, folder, table):
        stream, values = folder / f"{self.name}.stream", folder / f"{self.name}.values"
        stream.write_bytes(self.stream)
        self.values.tofile(values)
        rows, columns, samples = (*self.values.shape, 1)[:3]
        allocated = 8 * self.values.dtype.itemsize
        print(
            self.name, self.syntax, rows, columns, samples, allocated, self.bits, 0,
            self.photometric, self.tolerance, stream, values, sep="\t", file=table,
        )


def jpeg_lossless():
    for bits in (2, 8, 10, 12, 15, 16):
        for predictor in range(1, 8):
            array = picture(bits)
            stream = imagecodecs.jpeg8_encode(array, lossless=True, predictor=predictor, bitspersample=bits)
            yield Case(f"lossless-{bits}-{predictor}", JPEG + "57", bits, stream, array)
    array = picture(8, 3)
    options = {"colorspace": "RGB", "outcolorspace": "RGB"}
    for predictor in (1, 6):
        stream = imagecodecs.jpeg8_encode(array, lossless=True, predictor=predictor, **options)
        yield Case(f"lossless-rgb-{predictor}", JPEG + "70", 8, stream, array)


def jpeg_lossy():
    for level in (50, 75, 95, 100):
        stream = imagecodecs.jpeg8_encode(picture(12), level=level, bitspersample=12)
        values = imagecodecs.jpeg8_decode(stream)
        yield Case(f"extended-{level}", JPEG + "51", 12, stream, values, 1)
        stream = imagecodecs.jpeg8_encode(picture(8), level=level)
        yield Case(f"baseline-{level}", JPEG + "50", 8, stream, imagecodecs.jpeg8_decode(stream), 1)
    options = {"colorspace": "RGB", "outcolorspace": "RGB", "subsampling": "444"}
    stream = imagecodecs.jpeg8_encode(picture(12, 3), level=90, bitspersample=12, **options)
    values = imagecodecs.jpeg8_decode(stream, colorspace="RGB", outcolorspace="RGB")
    yield Case("extended-rgb", JPEG + "51", 12, stream, values, 1)


def jpeg_ls():
    for bits in (2, 7, 8, 12, 16):
        for near in (0, 1, 5) if bits > 4 else (0,):
            stream = imagecodecs.jpegls_encode(picture(bits), level=near)
            values = imagecodecs.jpegls_decode(stream)
            yield Case(f"ls-{bits}-{near}", JPEG + "81", 8 if bits <= 8 else 16, stream, values)
    for bits in (8, 16):
        stream = imagecodecs.jpegls_encode(picture(bits, 3), level=0)
        yield Case(f"ls-rgb-{bits}", JPEG + "80", bits, stream, picture(bits, 3))
    flat = np.full((300, 5000), 77, np.uint8)
    yield Case("ls-flat", JPEG + "80", 8, imagecodecs.jpegls_encode(flat), flat)


def jpeg_2000():
    for bits in (8, 12, 16):
        array = picture(bits)
        stream = imagecodecs.jpeg2k_encode(array, level=0, reversible=True, bitspersample=bits, codecformat="j2k")
        yield Case(f"j2k-{bits}", JPEG + "90", bits, stream, array)
        stream = imagecodecs.htj2k_encode(array, reversible=True)
        yield Case(f"htj2k-{bits}", JPEG + "201", 8 if bits == 8 else 16, stream, array)
    array = picture(8, 3)
    stream = imagecodecs.jpeg2k_encode(array, level=0, reversible=True, mct=True, codecformat="j2k")
    yield Case("j2k-rct", JPEG + "90", 8, stream, array, photometric="YBR_RCT")
    stream = imagecodecs.htj2k_encode(array, reversible=True, rgb=True)
    yield Case("htj2k-rct", JPEG + "202", 8, stream, array, photometric="YBR_RCT")
    stream = imagecodecs.htj2k_encode(picture(12), reversible=False)
    yield Case("htj2k-lossy", JPEG + "203", 16, stream, imagecodecs.htj2k_decode(stream), 1)


def jpeg_xl():
    for bits in (8, 10, 12, 16):
        array = picture(bits)
        for container in (False, True):
            stream = imagecodecs.jpegxl_encode(array, lossless=True, bitspersample=bits, usecontainer=container)
            yield Case(f"xl-{bits}-{int(container)}", JPEG + "110", bits, stream, array)
        stream = imagecodecs.jpegxl_encode(array, lossless=False, distance=1.0, bitspersample=bits)
        yield Case(f"xl-lossy-{bits}", JPEG + "112", bits, stream, imagecodecs.jpegxl_decode(stream), 1)
    array = picture(8, 3)
    stream = imagecodecs.jpegxl_encode(array, lossless=True)
    yield Case("xl-rgb", JPEG + "110", 8, stream, array)
    stream = imagecodecs.jpegxl_encode(array, lossless=False, distance=1.0)
    yield Case("xl-xyb", JPEG + "112", 8, stream, imagecodecs.jpegxl_decode(stream), 1, "XYB")
    jpeg = imagecodecs.jpeg8_encode(array, level=90, subsampling="444")
    stream = imagecodecs.jpegxl_encode_jpeg(jpeg)
    yield Case("xl-jpeg", JPEG + "111", 8, stream, imagecodecs.jpegxl_decode(stream), 1, "YBR_FULL")


def restarted(stream, sof, rows, interval):
    """The same scan twice, with a restart marker between: a picture above itself."""
    at = stream.index(bytes([0xFF, sof])) + 5
    stream = stream[:at] + rows.to_bytes(2, "big") + stream[at + 2 :]
    scan = stream.index(b"\xff\xda")
    begin = scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big")
    coded = stream[begin : stream.rindex(b"\xff\xd9")]
    dri = b"\xff\xdd\x00\x04" + interval.to_bytes(2, "big")
    return stream[:scan] + dri + stream[scan:begin] + coded + b"\xff\xd0" + coded + b"\xff\xd9"


def restarts():
    """Encoders do not write these; the interval counts samples, blocks or lines."""
    rows = 64
    for bits in (8, 16):
        array = picture(bits, rows=rows)
        twice = np.vstack([array, array])
        for predictor in (1, 4):
            stream = imagecodecs.jpeg8_encode(array, lossless=True, predictor=predictor, bitspersample=bits)
            stream = restarted(stream, 0xC3, 2 * rows, rows * COLUMNS)
            yield Case(f"lossless-restart-{bits}-{predictor}", JPEG + "57", bits, stream, twice)
        stream = restarted(imagecodecs.jpegls_encode(array), 0xF7, 2 * rows, rows)
        yield Case(f"ls-restart-{bits}", JPEG + "80", bits, stream, twice)
    once = imagecodecs.jpeg8_encode(picture(12, rows=rows), level=90, bitspersample=12)
    twice = np.vstack([imagecodecs.jpeg8_decode(once)] * 2)
    stream = restarted(once, 0xC1, 2 * rows, rows // 8 * -(-COLUMNS // 8))
    yield Case("extended-restart", JPEG + "51", 12, stream, twice, 1)


def rle():
    """PS3.5 annex G: a segment for each byte of each sample, the most significant first."""
    for name, array in {"8": picture(8), "16": picture(16), "rgb": picture(8, 3), "rgb-16": picture(16, 3)}.items():
        width = array.dtype.itemsize
        planes = array.reshape(ROWS, COLUMNS, -1).view(np.uint8)
        planes = planes.reshape(ROWS, COLUMNS, -1, width)[..., ::-1].reshape(ROWS, COLUMNS, -1)
        segments = []
        for plane in range(planes.shape[2]):
            segment = imagecodecs.packbits_encode(np.ascontiguousarray(planes[:, :, plane]))
            segments.append(segment + b"\0" * (len(segment) % 2))
        offsets = np.cumsum([64] + [len(segment) for segment in segments[:-1]])
        header = np.zeros(16, "<u4")
        header[0], header[1 : 1 + len(segments)] = len(segments), offsets
        yield Case(f"rle-{name}", "1.2.840.10008.1.2.5", 8 * width, header.tobytes() + b"".join(segments), array)


def deflated():
    for name, array in {"8": picture(8), "rgb-16": picture(16, 3)}.items():
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        stream = compressor.compress(array.tobytes()) + compressor.flush()
        yield Case(f"deflated-{name}", "1.2.840.10008.1.2.8.1", 8 * array.dtype.itemsize, stream, array)


def main():
    folder = Path(sys.argv[1])
    with open(folder / "streams.tsv", "w") as table:
        for cases in (jpeg_lossless, jpeg_lossy, jpeg_ls, jpeg_2000, jpeg_xl, restarts, rle, deflated):
            for case in cases():
                case.write(folder, table)


main()
