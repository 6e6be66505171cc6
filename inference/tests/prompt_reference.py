"""Answers prompts a second time, with NumPy, SciPy, PyTorch and ONNX Runtime's Python package.

`prompt_reference.py FOLDER` reads FOLDER/case.json and FOLDER/pixels.raw, and writes FOLDER/masks.raw: one byte a voxel, prompt by
prompt, slice by slice. It is written from the facts, not from the Rust code, and knows nothing of DICOM.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import scipy.ndimage
import torch
from torch.nn.functional import interpolate


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def turned(image, turn):
    """Left and right exchanged first, then clockwise by quarters."""
    if turn["mirror"]:
        image = image[:, ::-1]
    return np.rot90(image, -turn["quarters"])


def turned_back(image, turn):
    image = np.rot90(image, turn["quarters"])
    return image[:, ::-1] if turn["mirror"] else image


def percentiles(values):
    positive = values[values > 0]
    return np.percentile(positive, [0.5, 99.5]) if positive.size else (0.0, 0.0)


class V1:
    """Per slice: clip, stretch by its own extremes, pad with zeros on both sides alike, cubic splines, cut decimals off."""

    def __init__(self, case, volume):
        self.case = case

    def grey(self, values, window):
        if self.case["kind"] == "eight":
            return values.astype(np.float64)
        low, high = window if self.case["kind"] == "window" else percentiles(values)
        clipped = np.clip(values.astype(np.float64), low, high)
        span = clipped.max() - clipped.min()
        return (clipped - clipped.min()) / span * 255.0 if span > 0 else np.zeros_like(clipped)

    def pad(self, shape):
        rows, columns = shape
        across = abs(rows - columns) // 2
        return ((across, across), (0, 0)) if rows < columns else ((0, 0), (across, across))

    def channel(self, levels):
        side = self.case["side"]
        padded = np.pad(levels, self.pad(levels.shape))
        factors = np.array(padded.shape) / side
        smooth = padded
        if (factors > 1).any():
            sigma = np.maximum(0, (factors - 1) / 2)
            smooth = scipy.ndimage.gaussian_filter(padded, sigma, mode="grid-constant", cval=0)
        zoomed = scipy.ndimage.zoom(smooth, 1 / factors, order=3, mode="grid-constant", grid_mode=True)
        return np.clip(zoomed, padded.min(), padded.max()).astype(np.uint8)

    def picture(self, volume, k, window):
        this = volume[k]
        if self.case["kind"] == "color":
            planes = [this[..., c].astype(np.float64) for c in range(3)]
        else:
            planes = [self.grey(this, window)] * 3
        turn = self.case["turn"]
        return np.stack([self.channel(turned(plane, turn)) for plane in planes])

    def probability(self, logits):
        side = self.case["side"]
        large = interpolate(torch.from_numpy(logits)[None, None], (side, side), mode="bilinear", align_corners=False)
        return torch.sigmoid(large)[0, 0].numpy()


class V2:
    """Clip to a window or to the percentiles of the series, pad to a square, PyTorch's bicubic of bytes; three slices."""

    def __init__(self, case, volume):
        self.case = case
        self.range = percentiles(volume) if case["kind"] == "percentile" else None

    def pad(self, shape):
        rows, columns = shape
        side = max(rows, columns)
        return tuple(((side - n) // 2, side - n - (side - n) // 2) for n in (rows, columns))

    def plane(self, values, window):
        if self.case["kind"] == "eight":
            levels = values.astype(np.uint8)
        else:
            low, high = window if self.case["kind"] == "window" else self.range
            clipped = np.clip(values.astype(np.float64), low, high)
            levels = ((clipped - low) / (high - low) * 255.0).astype(np.uint8)
        levels = np.ascontiguousarray(turned(levels, self.case["turn"]))
        padded = np.pad(levels, self.pad(levels.shape))
        side = self.case["side"]
        byte = torch.from_numpy(padded)[None, None]
        return interpolate(byte, (side, side), mode="bicubic", align_corners=False)[0, 0].numpy()

    def picture(self, volume, k, window):
        count = len(volume)
        if count == 1:
            near = [0, 0, 0]
        else:
            near = [k, k - 1 if k > 0 else 1, k + 1 if k + 1 < count else count - 2]
        return np.stack([self.plane(volume[n], window) for n in near])

    def probability(self, logits):
        side = self.case["side"]
        large = interpolate(
            torch.from_numpy(logits)[None, None], (side, side), mode="bicubic", align_corners=False, antialias=True
        )
        return torch.sigmoid(large)[0, 0].numpy()


def back(case, way, probability):
    """From the picture to the slice: linear, padding cut away, turned back."""
    columns, rows, _ = case["size"]
    shape = turned(np.zeros((rows, columns)), case["turn"]).shape
    (top, bottom), (left, right) = way.pad(shape)
    padded = (shape[0] + top + bottom, shape[1] + left + right)
    # With its weights for shrinking, too: no smoothing.
    large = interpolate(torch.from_numpy(probability)[None, None], padded, mode="bilinear", align_corners=False)
    cut = large[0, 0].numpy()[top : top + shape[0], left : left + shape[1]]
    return turned_back(cut, case["turn"])


MASK64 = (1 << 64) - 1


def uniform(case, k, sentence, count_of_each):
    """xoshiro256++ from a SHA-256 of slice, sentence and model; two numbers of 24 bits a draw, and a fresh draw for each input."""
    digest = hashlib.sha256()
    for part in (case["uids"][k], "0", sentence, case["model_sha256"]):
        digest.update(struct.pack("<Q", len(part.encode())) + part.encode())
    s = list(struct.unpack("<4Q", digest.digest()))
    rotated = lambda x, n: ((x << n) | (x >> (64 - n))) & MASK64
    for count in count_of_each:
        drawn = np.empty(count + 1, np.float32)
        for at in range(0, count, 2):
            result = (rotated((s[0] + s[3]) & MASK64, 23) + s[0]) & MASK64
            t = (s[1] << 17) & MASK64
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = rotated(s[3], 45)
            drawn[at] = (result >> 40) / 2**24
            drawn[at + 1] = ((result >> 8) & 0xFFFFFF) / 2**24
        yield drawn[:count]


def ask(case, graphs, features, prompt, k):
    """One prompt, alone in its call."""
    text, decoder = graphs
    embedded = text.run(None, {"input_ids": np.array([prompt["ids"]], np.int64)})
    embedded = dict(zip([output.name for output in text.get_outputs()], embedded))
    inputs = dict(features, tokens=embedded["token_emb"].transpose(1, 0, 2))
    if case["generation"] == "v1":
        inputs["class_emb"] = embedded["class_emb"][None]
    noise = [i for i in decoder.get_inputs() if i.name.startswith("noise")]
    noise.sort(key=lambda i: i.name)
    shapes = [[1 if axis == 1 else n for axis, n in enumerate(i.shape)] for i in noise]
    drawn = uniform(case, k, prompt["sentence"], [int(np.prod(shape)) for shape in shapes])
    for i, shape, values in zip(noise, shapes, drawn):
        inputs[i.name] = values.reshape(shape)
    outputs = dict(zip([output.name for output in decoder.get_outputs()], decoder.run(None, inputs)))
    logits = outputs["mask_logits"].reshape(outputs["mask_logits"].shape[-2:])
    existence = outputs.get("existence_logits")
    return logits, None if existence is None else 1 / (1 + np.exp(-np.float64(existence.item())))


def kept_of_v2(maps, existence):
    """One: above 0.5. Several: by falling existence from 0.5 on, none whose union with a kept one is shared by more than half."""
    if len(maps) == 1:
        return [0] if existence[0] > 0.5 else []
    kept = []
    for n in sorted(range(len(maps)), key=lambda n: -existence[n]):
        own = maps[n] > 0.5
        if existence[n] < 0.5 or not own.any():
            continue
        share = [(own & (maps[m] > 0.5)).sum() / (own | (maps[m] > 0.5)).sum() for m in kept]
        if all(s <= 0.5 for s in share):
            kept.append(n)
    return sorted(kept)


def main(folder):
    case = json.loads((folder / "case.json").read_text())
    columns, rows, count = case["size"]
    color = case["kind"] == "color"
    raw = np.fromfile(folder / "pixels.raw", np.uint8 if color else np.float32)
    volume = raw.reshape((count, rows, columns) + ((3,) if color else ()))
    model = Path(case["model"])
    image = session(model / "image-encoder.onnx")
    graphs = session(model / "text-encoder.onnx"), session(model / "mask-decoder.onnx")
    way = {"v1": V1, "v2": V2}[case["generation"]](case, volume)
    masks = np.zeros((len(case["prompts"]), count, rows, columns), np.uint8)
    for k in range(count):
        maps, existence = [], []
        for prompt in case["prompts"]:
            picture = way.picture(volume, k, prompt["window"]).astype(np.float32)[None]
            names = [output.name for output in image.get_outputs()]
            features = dict(zip(names, image.run(None, {"image": picture})))
            logits, exists = ask(case, graphs, features, prompt, k)
            maps.append(way.probability(logits))
            existence.append(exists)
        if case["generation"] == "v1":
            for n, probability in enumerate(maps):
                masks[n, k] = back(case, way, probability) > 0.5
        else:
            kept = kept_of_v2(maps, existence)
            if kept:
                own = np.stack([back(case, way, maps[n]) for n in kept])
                for place, n in enumerate(kept):
                    masks[n, k] = (own.argmax(0) == place) & (own.max(0) > 0.5)
    masks.tofile(folder / "masks.raw")


main(Path(sys.argv[1]))
