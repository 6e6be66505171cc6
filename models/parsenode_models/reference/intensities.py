"""Random intensities: what the same slice looks like from another machine, with another contrast agent, or invented.

Pictures here are values from 0 on, where 0 is what lies outside of the picture. All are `[3, rows, columns]`.
"""

import numpy as np
from scipy import ndimage

from .pictures import WINDOW_HIGH_HU, WINDOW_LOW_HU, bounds
from .targets import CLASS_COUNT

# Air, from where Hounsfield units are counted here, so that 0 is outside.
AIR_HU = -1024.0
# Largest rise by a contrast agent, in HU, by class: kidneys, vessels, liver, spleen, pancreas, adrenals, walls, muscle.
CONTRAST_HU = {
    1: 90,
    2: 180,
    3: 180,
    5: 70,
    6: 40,
    7: 60,
    8: 60,
    9: 60,
    11: 50,
    12: 50,
    18: 250,
    19: 150,
    20: 150,
    22: 15,
    23: 15,
}
# Where values nobody labelled are split, so that each part gets its own intensity; in HU, or in shares of the window.
SPLITS_CT, SPLITS_MR = (-250.0, -30.0, 30.0, 130.0), (0.08, 0.25, 0.5, 0.75)


# Hollow organs, and what may be in them: gas, water, food, contrast agent; in HU.
HOLLOW, CONTENTS_HU = (6, 11, 12, 13), ((-950, -850), (-10, 30), (-300, 60), (120, 450))


def filled(values: np.ndarray, classes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Hollow organs with something else in them, their rim as it was."""
    for number in HOLLOW:
        if random.random() < 0.3:
            low, high = CONTENTS_HU[random.integers(len(CONTENTS_HU))]
            inside = ndimage.binary_erosion(classes == number, np.ones((1, 3, 3)))
            spots = ndimage.gaussian_filter(random.standard_normal(values.shape), (0, 2, 2)) > -0.2 * random.random()
            values = np.where(
                inside & spots, random.uniform(low, high) + 10 * random.standard_normal(values.shape), values
            )
    return values


def ct(values: np.ndarray, classes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A CT in grey levels of the model's window: contrast agent, calibration, sometimes cut to a narrower window."""
    if random.random() < 0.4:
        values = filled(values, classes, random)
    if random.random() < 0.6:
        rise = np.zeros(CLASS_COUNT, np.float32)
        phase = random.random() ** 0.7
        for number, most in CONTRAST_HU.items():
            rise[number] = phase * most * random.uniform(0.3, 1.0)
        rise[3] = rise[2] * random.uniform(0.85, 1.15)
        added = ndimage.gaussian_filter(rise[classes], (0, 0.6, 0.6))
        values = values + np.where(values > -100, added, 0)
    values = values * random.uniform(0.92, 1.08) + random.uniform(-20, 20)
    if random.random() < 0.25:
        low, high = random.choice([(-150, 250), (-160, 240), (-1000, 1000), (-25, 230), (-100, 300), (-200, 400)])
        values = values.clip(low, high)
    return (values - WINDOW_LOW_HU) / (WINDOW_HIGH_HU - WINDOW_LOW_HU) * 255


def mr(values: np.ndarray, limits: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    """An MR in grey levels of its percentiles: other percentiles, gamma, uneven coils."""
    low, high = limits
    share = ((values - low) / (high - low) * random.uniform(0.75, 1.3)).clip(0, 1.5)
    share = share ** np.exp(random.uniform(-0.45, 0.45))
    return share * uneven(values.shape, random, 0.35) * 255


def uneven(shape: tuple[int, ...], random: np.random.Generator, most: float) -> np.ndarray:
    """A slow factor around 1."""
    coarse = np.exp(random.uniform(0, most) * random.standard_normal((1, 4, 4)))
    return ndimage.zoom(coarse, (1, shape[1] / 4, shape[2] / 4), order=1, grid_mode=True, mode="nearest")


def parts(values: np.ndarray, classes: np.ndarray, modality: str, limits: tuple[float, float]) -> np.ndarray:
    """Classes, and where nobody labelled a class of its own for each range of values: 24 and up."""
    if modality == "CT":
        rest = np.digitize(values, SPLITS_CT)
    else:
        rest = np.digitize((values - limits[0]) / (limits[1] - limits[0]), SPLITS_MR)
    return np.where(classes > 0, classes, CLASS_COUNT + rest)


def invented(values: np.ndarray, classes: np.ndarray, modality: str, random: np.random.Generator) -> np.ndarray:
    """Each part gets a random intensity; some of the real picture may remain."""
    limits = bounds(values, modality)
    split = parts(values, classes, modality, limits)
    mean = random.uniform(0, 255, CLASS_COUNT + 5)
    if random.random() < 0.8:
        mean[CLASS_COUNT] = random.uniform(0, 25)
    mean[3] = mean[2] + random.uniform(-15, 15)
    mean[15] = mean[14] + random.uniform(-30, 30)
    texture = ndimage.gaussian_filter(random.standard_normal(values.shape), (0, *[random.uniform(0, 1.2)] * 2))
    texture = texture / texture.std() * random.uniform(0, 22, CLASS_COUNT + 5)[split]
    made = ndimage.gaussian_filter(mean[split] + texture, (0, *[random.uniform(0.2, 0.8)] * 2))
    real = (values - limits[0]) / (limits[1] - limits[0]) * 255
    keep = random.choice([0.0, 0.0, 0.3, 0.6])
    made = (1 - keep) * made + keep * real.clip(0, 255)
    return made * uneven(values.shape, random, 0.25)


def shuffled(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The picture in pieces that changed places: tissue without a body. Some pieces are turned or upside down."""
    count = int(random.integers(3, 7))
    rows, columns = picture.shape[1] // count, picture.shape[2] // count
    pieces = [
        picture[:, y * rows : (y + 1) * rows, x * columns : (x + 1) * columns]
        for y in range(count)
        for x in range(count)
    ]
    pieces = [
        pieces[index][:, :: random.choice([-1, 1]), :: random.choice([-1, 1])]
        for index in random.permutation(len(pieces))
    ]
    return np.concatenate([np.concatenate(pieces[y * count : (y + 1) * count], 2) for y in range(count)], 1)


def toned(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Grey levels through a random curve, sometimes inverted."""
    knots = np.sort(random.uniform(0, 255, 5))
    if random.random() < 0.4:
        knots = random.uniform(0, 255, 5)
    return np.interp(picture, np.linspace(0, 255, 5), knots).astype(np.float32)


def noise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blur or sharpening, then noise of some grain, then another gain and level."""
    if random.random() < 0.35:
        picture = ndimage.gaussian_filter(picture, (0, *[random.uniform(0.3, 1.6)] * 2))
    elif random.random() < 0.3:
        picture = picture + random.uniform(0.3, 1.2) * (picture - ndimage.gaussian_filter(picture, (0, 1.2, 1.2)))
    grain = random.standard_normal(picture.shape).astype(np.float32)
    if random.random() < 0.5:
        grain = ndimage.gaussian_filter(grain, (0, *[random.uniform(0.4, 1.0)] * 2)) * 2
    picture = picture + grain * random.uniform(0, 12) * (picture > 2)
    return picture * random.uniform(0.92, 1.08) + (picture > 2) * random.uniform(-8, 8)
