"""Pictures for promptable models once more, with NumPy, SciPy and, where they are there, scikit-image and PyTorch.

    picture_reference.py FOLDER

FOLDER/cases.txt has a line a case: name, kind, numbers. NAME.in has the input; NAME.out becomes what is right. Prints the name
of each case that was made, or the name and what is missing.
"""

import pathlib
import sys

import numpy as np
from scipy import ndimage

try:
    import torch
    from torch.nn import functional
except ImportError:
    torch = None
try:
    from skimage import measure, segmentation, transform
except ImportError:
    measure = segmentation = transform = None


def turned(image, mirror, quarters):
    """Flipped first, then rotated clockwise; the first two axes are rows and columns."""
    return np.rot90(np.fliplr(image) if mirror else image, -quarters)


def turned_back(image, mirror, quarters):
    image = np.rot90(image, quarters)
    return np.fliplr(image) if mirror else image


def padding(generation, rows, columns):
    """Zeros before and behind, of rows and of columns."""
    half = abs(rows - columns) // 2
    rest = half if generation == 1 else abs(rows - columns) - half
    wide = (half, rest)
    return ((0, 0), wide) if rows > columns else (wide, (0, 0)) if rows < columns else ((0, 0), (0, 0))


def resized(image, side):
    """Cubic B-splines, clipped to the range of the image. SciPy's way is taken where scikit-image is missing."""
    image = image.astype(np.float64)
    if transform is not None:
        return transform.resize(
            image, (side, side), order=3, mode="constant", preserve_range=True, anti_aliasing=True
        )
    factors = np.divide(image.shape, side)
    smooth = image
    if max(factors) > 1:
        smooth = ndimage.gaussian_filter(image, np.maximum(0, (factors - 1) / 2), mode="grid-constant")
    big = ndimage.zoom(smooth, 1 / factors, order=3, mode="grid-constant", grid_mode=True)
    low = image.min()
    if low > 0 and big.min() <= 0:
        low = 0
    return np.clip(big, low, image.max())


def grey1(values, columns, rows, mirror, quarters, side, kind, low, high):
    image = turned(values.reshape(rows, columns).astype(np.float64), mirror, quarters)
    if kind != 2:
        if kind == 1:
            low, high = np.percentile(image[image > 0], [0.5, 99.5])
        image = np.clip(image, low, high)
        image = (image - image.min()) / (image.max() - image.min()) * 255.0
    image = np.pad(image, padding(1, *image.shape))
    return resized(image, side).astype(np.uint8)


def color1(values, columns, rows, mirror, quarters, side):
    image = turned(values.reshape(rows, columns, 3), mirror, quarters)
    image = np.pad(image, (*padding(1, *image.shape[:2]), (0, 0)))
    return np.stack([resized(image[..., n], side).astype(np.uint8) for n in range(3)], axis=-1)


def bicubic(planes, side):
    return functional.interpolate(
        torch.from_numpy(planes.copy())[None], size=(side, side), mode="bicubic", align_corners=False
    )[0].numpy()


def grey2(values, columns, rows, mirror, quarters, side, low, high):
    image = turned(values.reshape(rows, columns).astype(np.float64), mirror, quarters)
    image = np.uint8((np.clip(image, low, high) - low) / (high - low) * 255.0)
    return bicubic(np.pad(image, padding(2, *image.shape))[None], side)[0]


def color2(values, columns, rows, mirror, quarters, side):
    image = turned(values.reshape(rows, columns, 3), mirror, quarters)
    image = np.pad(image, (*padding(2, *image.shape[:2]), (0, 0)))
    return bicubic(image.transpose(2, 0, 1), side)


def volume2(values, columns, rows, slices, side, k):
    """The tensor of a slice of a volume, from intensities on."""
    volume = values.reshape(slices, rows, columns).astype(np.float64)
    low, high = np.percentile(volume[volume > 0], [0.5, 99.5])
    clipped = np.clip(volume, low, high)
    levels = (clipped - clipped.min()) / (clipped.max() - clipped.min()) * 255.0
    levels[volume == 0] = 0
    levels = np.pad(np.uint8(levels), ((0, 0), *padding(2, rows, columns)))
    planes = bicubic(levels, side)
    previous = k - 1 if k > 0 else min(1, slices - 1)
    following = k + 1 if k < slices - 1 else max(slices - 2, 0)
    return planes[[k, previous, following]].astype(np.float32)


def probability(logits, m, side, **how):
    logits = torch.from_numpy(logits.copy()).reshape(1, 1, m, m)
    return functional.interpolate(logits, size=(side, side), **how).sigmoid().numpy()


def prob1(logits, m, side):
    return probability(logits, m, side, mode="bilinear", align_corners=False)


def prob2(logits, m, side):
    return probability(logits, m, side, mode="bicubic", align_corners=False, antialias=True)


def back(values, generation, columns, rows, mirror, quarters, side):
    """Straight from the definition: the middle of each pixel in the map, linearly."""
    shape = turned(np.zeros((rows, columns)), mirror, quarters).shape
    pads = padding(generation, *shape)
    places = [
        ((np.arange(n) + before + 0.5) * side / (n + before + behind) - 0.5).clip(0, side - 1)
        for n, (before, behind) in zip(shape, pads)
    ]
    field = values.reshape(side, side).astype(np.float64)
    picture = ndimage.map_coordinates(field, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    return turned_back(picture, mirror, quarters).astype(np.float32)


def boxes(values, columns, rows):
    labels, _ = ndimage.label(values.reshape(rows, columns), structure=np.ones((3, 3)))
    found = ndimage.find_objects(labels)
    sizes = ndimage.sum_labels(labels > 0, labels, np.arange(1, len(found) + 1))
    order = sorted(range(len(found)), key=lambda n: (-sizes[n], np.flatnonzero(labels == n + 1)[0]))
    corners = [[found[n][1].start, found[n][0].start, found[n][1].stop - 1, found[n][0].stop - 1] for n in order]
    return np.array(corners, dtype=np.uint32)


def instances(values, columns, rows, slices):
    """The number of its instance for each voxel, 1 for the largest."""
    mask, edges = values.reshape(2, slices, rows, columns) > 0
    inside = measure.label(mask & ~edges, connectivity=1)
    grown = segmentation.expand_labels(inside, distance=1) * mask
    sizes = np.bincount(grown.ravel(), minlength=inside.max() + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    numbers = np.zeros(inside.max() + 1, dtype=np.uint32)
    numbers[order + 1] = np.arange(1, len(order) + 1)
    return numbers[grown]


KINDS = {
    "grey1": (grey1, np.float32, "scipy"),
    "color1": (color1, np.uint8, "scipy"),
    "grey2": (grey2, np.float32, "torch"),
    "color2": (color2, np.uint8, "torch"),
    "volume2": (volume2, np.float32, "torch"),
    "prob1": (prob1, np.float32, "torch"),
    "prob2": (prob2, np.float32, "torch"),
    "back": (back, np.float32, "scipy"),
    "boxes": (boxes, np.uint8, "scipy"),
    "instances": (instances, np.uint8, "skimage"),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    missing = {"torch": torch is None, "skimage": transform is None, "scipy": False}
    for line in (folder / "cases.txt").read_text().splitlines():
        name, kind, *numbers = line.split()
        function, dtype, needs = KINDS[kind]
        if missing[needs]:
            print(name, needs)
            continue
        numbers = [float(n) if "." in n else int(n) for n in numbers]
        values = np.fromfile(folder / f"{name}.in", dtype=dtype)
        np.ascontiguousarray(function(values, *numbers)).tofile(folder / f"{name}.out")
        print(name)


if __name__ == "__main__":
    main()
