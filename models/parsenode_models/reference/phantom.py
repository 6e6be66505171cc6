"""Pictures that no machine made: a chest out of ellipses, and things that are no body at all.

No labelled series shows a chest. Its ellipses teach that lungs are the two dark regions within ribs, however large; the
other pictures teach that there may be nothing to find.
"""

import numpy as np
from scipy import ndimage

from .targets import CLASS_COUNT

SIZE = 128
# Classes beyond those of the labels: air, fat, muscle, heart and what else is soft.
AIR, FAT, MUSCLE, SOFT = range(CLASS_COUNT, CLASS_COUNT + 4)
HU = {AIR: -1000, FAT: -90, MUSCLE: 45, SOFT: 40, 10: -800, 14: 250, 15: 300, 18: 45}


def ellipse(middle: tuple[float, float], half: tuple[float, float]) -> np.ndarray:
    """Middle (across, down) and half axes, in shares of half the side."""
    line = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    return ((line[None, :] - middle[0]) / half[0]) ** 2 + ((line[:, None] - middle[1]) / half[1]) ** 2 < 1


def chest(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """HU and classes of three equal slices."""
    wide, deep = random.uniform(0.8, 0.95), random.uniform(0.5, 0.68)
    classes = np.full((SIZE, SIZE), AIR)
    classes[ellipse((0, 0), (wide, deep))] = FAT
    inner = random.uniform(0.82, 0.95)
    classes[ellipse((0, 0), (wide * inner, deep * inner))] = MUSCLE
    cage = (wide * inner * 0.9, deep * inner * 0.86)
    classes[ellipse((0, 0), cage)] = SOFT
    classes[ribs(cage, random)] = 15
    for side in (-1, 1):
        size = random.uniform(0.3, 0.42) * wide, random.uniform(0.6, 0.85) * cage[1]
        lung = ellipse((side * random.uniform(0.44, 0.52) * wide, random.uniform(-0.05, 0.1)), size)
        classes[lung & ellipse((0, 0), (cage[0] * 0.96, cage[1] * 0.95)) & (classes != 15)] = 10
    heart = ellipse(
        (random.uniform(0, 0.25), -random.uniform(0.05, 0.2)), (random.uniform(0.15, 0.4), random.uniform(0.15, 0.32))
    )
    classes[heart & (classes == 10)] = SOFT
    classes[ellipse((0, deep * 0.62), (random.uniform(0.1, 0.14), random.uniform(0.09, 0.13)))] = 14
    classes[ellipse((0, deep * 0.8), (0.03, 0.12))] = 14
    classes[ellipse((0, -deep * 0.82), (random.uniform(0.08, 0.14), 0.035))] = 15
    classes[ellipse((random.uniform(0.06, 0.16), deep * random.uniform(0.35, 0.5)), (0.06, 0.06))] = 18
    return values_of(classes, random), np.broadcast_to(classes * (classes < CLASS_COUNT), (3, SIZE, SIZE)).astype(
        np.uint8
    )


def ribs(cage: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    """Pieces of a ring."""
    line = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    angle = np.arctan2(line[:, None] / cage[1], line[None, :] / cage[0])
    ring = ellipse((0, 0), cage) & ~ellipse((0, 0), (cage[0] - 0.05, cage[1] - 0.05))
    return ring & (np.sin(angle * random.integers(5, 10) * 2 + random.uniform(0, 6)) > random.uniform(0, 0.6))


def values_of(classes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    hounsfield = np.array([HU.get(number, 0) for number in range(CLASS_COUNT + 4)], np.float32)
    hounsfield[10] += random.uniform(-100, 150)
    blood = random.uniform(0, 200) if random.random() < 0.6 else 0
    hounsfield[18] += blood
    values = hounsfield[classes]
    soft = ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), 4)
    values = np.where(classes == SOFT, values + blood * (soft > 0), values)
    vessels = ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), random.uniform(0.6, 1.2))
    share = np.quantile(vessels, random.uniform(0.93, 1.0))
    values = np.where((classes == 10) & (vessels > share), 0, values)
    values = np.where(classes == 14, values + 200 * soft / np.abs(soft).max(), values)
    return np.broadcast_to(ndimage.gaussian_filter(values, 0.6), (3, SIZE, SIZE)).astype(np.float32)


def nobody(random: np.random.Generator) -> np.ndarray:
    """Grey levels of three equal slices: spots, stripes, clouds, blots or one grey, within a frame of some form."""
    picture = random.choice([spots, clouds, stripes])(random)
    picture = picture / max(picture.std(), 1e-6) * random.uniform(0, 90) + random.uniform(0, 255)
    for _ in range(random.integers(0, 8)):
        half = random.uniform(0.03, 0.9, 2)
        picture[ellipse(tuple(random.uniform(-0.9, 0.9, 2)), tuple(half))] += random.uniform(-150, 150)
    if random.random() < 0.5:
        picture = picture * random.choice([disc, sector])(random)
    if random.random() < 0.1:
        picture = np.full((SIZE, SIZE), random.uniform(0, 255))
    return np.broadcast_to(picture, (3, SIZE, SIZE)).astype(np.float32)


def spots(random: np.random.Generator) -> np.ndarray:
    grain = random.uniform(0.4, 12, 2)
    return ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), grain)


def clouds(random: np.random.Generator) -> np.ndarray:
    """Spots of all sizes together."""
    sizes = [0.5, 1, 2, 4, 8, 16]
    layers = [ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), size) for size in sizes]
    return sum(layer / layer.std() * size ** random.uniform(0.2, 1) for layer, size in zip(layers, sizes, strict=True))


def stripes(random: np.random.Generator) -> np.ndarray:
    """Waves that bend."""
    line = np.arange(SIZE) / SIZE
    bend = ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), 12) * random.uniform(0, 60)
    across, down = random.uniform(-80, 80, 2)
    return np.sin(across * line[None, :] + down * line[:, None] + bend) + 0.3 * random.standard_normal((SIZE, SIZE))


def disc(random: np.random.Generator) -> np.ndarray:
    return ellipse(tuple(random.uniform(-0.2, 0.2, 2)), tuple(random.uniform(0.5, 1.0, 2)))


def sector(random: np.random.Generator) -> np.ndarray:
    """A fan from a point at one edge."""
    line = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    down, across = np.meshgrid(line + 1.0, line - random.uniform(-0.3, 0.3), indexing="ij")
    fan = (np.abs(np.arctan2(across, down)) < random.uniform(0.4, 0.9)) & (
        np.hypot(across, down) < random.uniform(1.2, 2.0)
    )
    return np.rot90(fan, int(random.integers(4)))
