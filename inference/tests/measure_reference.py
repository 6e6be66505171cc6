"""The measurements of docs/measurements.md once more, straight from their definitions, slowly, with numpy and scipy.

Nothing here shares a way with the program: vertices are taken from the whole mesh and compared each with each,
polygons of a cell are found by connected corners and ordered by angle, and all their triangulations are tried.

    measure_reference.py FOLDER

FOLDER/cases.txt has a line a case: name, columns, rows, slices, spacing along each in mm. NAME.mask has one byte a voxel,
NAME.values one little-endian float, slice by slice. Prints a line a case.
"""

import itertools
import pathlib
import sys

import numpy as np
from scipy.spatial.distance import pdist, squareform

CORNERS = list(itertools.product((0, 1), repeat=3))  # (k, j, i), as arrays are stored


def mesh_vertices(mask, spacing):
    """Middles of all grid edges between inside and outside, in mm; the mask is padded."""
    found = []
    for axis in range(mask.ndim):
        at = np.argwhere(np.diff(mask.astype(np.int8), axis=axis) != 0).astype(float)
        at[:, axis] += 0.5
        found.append(at * spacing)
    return np.concatenate(found)


def axes(mask, spacing):
    """Long and short axis of the slice whose long axis is longest; of equal ones the wider."""
    best = (0.0, 0.0)
    for plane in mask:
        if not plane.any():
            continue
        vertices = mesh_vertices(plane, spacing[1:])
        distances = squareform(pdist(vertices))
        long = distances.max()
        short = 0.0
        for a, b in np.argwhere(distances > long - 1e-9):
            along = (vertices[b] - vertices[a]) / long
            across = vertices @ np.array([-along[1], along[0]])
            short = max(short, np.ptp(across))
        if long > best[0] + 1e-9 or (long > best[0] - 1e-9 and short > best[1]):
            best = (long, short)
    return best


def components(corners, joined):
    rest = set(corners)
    while rest:
        group, todo = set(), [rest.pop()]
        while todo:
            corner = todo.pop()
            group.add(corner)
            near = {other for other in rest if joined(corner, other)}
            rest -= near
            todo.extend(near)
        yield group


def polygons(inside):
    """Polygons that part the corners inside from those outside, as lists of (k, j, i) in voxels from corner 0."""
    inside, outside = set(inside), set(CORNERS) - set(inside)

    def edge(a, b):
        return sum(abs(x - y) for x, y in zip(a, b)) == 1

    def edge_or_face(a, b):
        # Across a face, the corners outside are joined where those inside are cut off by themselves.
        apart = [axis for axis in range(3) if a[axis] != b[axis]]
        if len(apart) != 2:
            return len(apart) == 1
        others = [tuple(b[n] if n == axis else a[n] for n in range(3)) for axis in apart]
        return all(other in inside for other in others)

    for group, rest in itertools.product(components(inside, edge), components(outside, edge_or_face)):
        pairs = [(a, b) for a in group for b in rest if edge(a, b)]
        if not pairs:
            continue
        middles = np.array([(np.array(a) + np.array(b)) / 2 for a, b in pairs])
        normal = np.sum([np.array(b) - np.array(a) for a, b in pairs], axis=0)
        first = np.cross(normal, [0.9, 0.31, 0.17])
        second = np.cross(normal, first)
        first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
        offsets = middles - middles.mean(axis=0)
        yield middles[np.argsort(np.arctan2(offsets @ second, offsets @ first))]


def fillings(corners, spacing):
    """The areas of all triangulations, one after the other: on a cubic grid, and in mm2."""
    if len(corners) < 3:
        yield 0.0, 0.0
        return
    a, b = corners[0], corners[-1]
    for n in range(1, len(corners) - 1):
        across = np.array([corners[n] - a, b - a])
        cubic, mm2 = (np.linalg.norm(np.cross(*(across * scale))) / 2 for scale in (1.0, spacing))
        parts = itertools.product(fillings(corners[: n + 1], spacing), fillings(corners[n:], spacing))
        for one, other in parts:
            yield cubic + one[0] + other[0], mm2 + one[1] + other[1]


def filled_area(corners, spacing):
    """Of the triangulation that is largest on a cubic grid; of equal ones the smaller."""
    every = list(fillings(corners, spacing))
    largest = max(cubic for cubic, _ in every)
    return min(mm2 for cubic, mm2 in every if cubic > largest - 1e-9)


def surface_area(mask, spacing):
    case = np.zeros([n - 1 for n in mask.shape], int)
    for bit, corner in enumerate(CORNERS):
        window = tuple(slice(c, n - 1 + c) for c, n in zip(corner, mask.shape))
        case |= mask[window].astype(int) << bit
    total = 0.0
    for number, count in zip(*np.unique(case, return_counts=True)):
        inside = [corner for bit, corner in enumerate(CORNERS) if number >> bit & 1]
        total += count * sum(filled_area(polygon, spacing) for polygon in polygons(inside))
    return total


def main(folder):
    for line in (folder / "cases.txt").read_text().splitlines():
        name, *numbers = line.split()
        size, spacing = [int(n) for n in numbers[2::-1]], np.array([float(n) for n in numbers[5:2:-1]])
        mask = np.fromfile(folder / f"{name}.mask", np.uint8).reshape(size) != 0
        values = np.fromfile(folder / f"{name}.values", "<f4").reshape(size)[mask].astype(float)
        padded = np.pad(mask, 1)
        measured = [
            mask.sum(), values.mean(), values.std(), values.min(), values.max(), np.median(values),
            mask.sum() * spacing.prod(), surface_area(padded, spacing),
            pdist(mesh_vertices(padded, spacing)).max(), *axes(padded, spacing),
        ]
        print(name, *(repr(float(number)) for number in measured))


main(pathlib.Path(sys.argv[1]))
