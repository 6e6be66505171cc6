"""The organs of measure_speed.rs, measured by numpy and PyRadiomics' C code; both are given the box around each organ.

    measure_speed.py FOLDER [ROUNDS]

FOLDER holds what `measure_speed FOLDER` wrote. Shapes are not measured where PyRadiomics is not installed.
"""

import pathlib
import resource
import statistics
import sys
import time

import numpy as np

try:
    from radiomics import cShape
except ImportError:
    cShape = None

SHAPE, SPACING = (200, 512, 512), np.array([1.5, 0.75, 0.75])


def measure(inside, values):
    axes = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(at[0], at[-1] + 1) for at in axes)
    inside, chosen = inside[box], values[box][inside[box]]
    began = time.perf_counter()
    numbers = [chosen.size, chosen.mean(dtype=float), chosen.std(dtype=float), chosen.min(), chosen.max(), np.median(chosen)]
    shape = cShape.calculate_coefficients(np.pad(inside, 1).astype(np.int8), SPACING) if cShape else None
    return numbers, shape, time.perf_counter() - began


def main(folder, rounds=5):
    labels = np.fromfile(folder / "labels.u8", np.uint8).reshape(SHAPE)
    values = np.fromfile(folder / "values.f32", np.float32).reshape(SHAPE)
    totals = []
    for turn in range(rounds):
        began, of_shapes = time.perf_counter(), 0.0
        for label in range(1, 6):
            numbers, shape, seconds = measure(labels == label, values)
            of_shapes += seconds
            if turn == 0:
                print(*numbers, shape, f"{seconds:.3f} s")
        totals.append(time.perf_counter() - began)
    print(f"five organs: {statistics.median(totals) * 1e3:.0f} ms of {rounds} rounds")
    print(f"memory at its peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} KiB")


main(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))
