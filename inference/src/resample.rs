//! Values of a grid at the voxels of another, by an affine map of indices.
//!
//! A voxel has an extent: up to half a voxel beyond the outermost centres the outermost value holds, farther out lies
//! what the caller says. Rows are cut to the part inside first, so the inner loop asks no questions.

use std::ops::Range;

use rayon::prelude::*;

use crate::grid::IndexMap;
use crate::manifest::Interpolation;

/// Values on a grid, stored with the first axis fastest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// One value a voxel.
    pub(crate) values: &'a [f32],
    /// Number of voxels along each axis.
    pub(crate) size: [usize; 3],
}

/// The values of `field` at every voxel of a target of `size`, whose indices `map` takes to those of the field.
pub(crate) fn resample(
    field: &Field<'_>,
    map: &IndexMap,
    size: [usize; 3],
    interpolation: Interpolation,
    outside: f32,
) -> Vec<f32> {
    let [columns, rows, planes] = size;
    let mut values = vec![0.0; columns * rows * planes];
    let together = planes.div_ceil(4 * rayon::current_num_threads()).min(PLANES_TOGETHER);
    let groups = values.par_chunks_mut(columns * rows * together.max(1)).enumerate();
    groups.for_each(|(group, planes)| {
        for j in 0..rows {
            for (n, plane) in planes.chunks_mut(columns * rows).enumerate() {
                let row = &mut plane[j * columns..(j + 1) * columns];
                let line = Line::new(map, j, group * together + n);
                resample_row(field, &line, interpolation, outside, row);
            }
        }
    });
    values
}

/// Planes of the target that are made together, row by row: where rows of the target run across rows of the field, each line
/// of the cache that is fetched for one plane serves its neighbours.
const PLANES_TOGETHER: usize = 16;

fn resample_row(
    field: &Field<'_>,
    line: &Line,
    interpolation: Interpolation,
    outside: f32,
    row: &mut [f32],
) {
    let inside = line.inside(field.size, row.len());
    row[..inside.start].fill(outside);
    row[inside.end..].fill(outside);
    let inner = row[inside.clone()].iter_mut().zip(inside);
    match interpolation {
        Interpolation::Linear => inner.for_each(|(value, i)| {
            *value = Between::at(line.at(i), field.size).corners().interpolate(field.values);
        }),
        Interpolation::Nearest => inner.for_each(|(value, i)| {
            *value = field.values[nearest(line.at(i), field.size)];
        }),
    }
}

/// Calls `act` with each pixel of plane `k` of a target (columns, rows) that lies in a grid of `size`, and with its index there.
///
/// Pixels come in small squares rather than row by row: neighbours in either direction are near each other in the memory of one
/// grid or the other.
pub(crate) fn for_each_inside(
    (map, k): (&IndexMap, usize),
    [columns, rows]: [usize; 2],
    size: [usize; 3],
    mut act: impl FnMut(usize, [f64; 3]),
) {
    for top in (0..rows).step_by(SQUARE) {
        let lines: Vec<_> = (top..rows.min(top + SQUARE))
            .map(|j| Line::new(map, j, k))
            .map(|line| (line, line.inside(size, columns)))
            .collect();
        for left in (0..columns).step_by(SQUARE) {
            for (j, (line, inside)) in (top..).zip(&lines) {
                let part = left.max(inside.start)..inside.end.min(left + SQUARE);
                part.for_each(|i| act(j * columns + i, line.at(i)));
            }
        }
    }
}

/// Side of the squares in which pixels are visited.
const SQUARE: usize = 16;

/// A row of the target as a line through another grid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    start: [f64; 3],
    step: [f64; 3],
}

impl Line {
    /// Row `j` of plane `k`.
    pub(crate) fn new(map: &IndexMap, j: usize, k: usize) -> Self {
        let (j, k) = (j as f64, k as f64);
        let start = [0, 1, 2]
            .map(|axis| map.offset[axis] + j * map.steps[1][axis] + k * map.steps[2][axis]);
        Self { start, step: map.steps[0] }
    }

    /// The fractional index of voxel `i` of the row.
    pub(crate) fn at(&self, i: usize) -> [f64; 3] {
        let (i, start, step) = (i as f64, &self.start, &self.step);
        [start[0] + i * step[0], start[1] + i * step[1], start[2] + i * step[2]]
    }

    /// Which voxels of a row of `count` lie in a grid of `size`, half a voxel around it included.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=count"
    )]
    pub(crate) fn inside(&self, size: [usize; 3], count: usize) -> Range<usize> {
        let (mut first, mut end) = (0.0_f64, count as f64);
        for (axis, n) in size.into_iter().enumerate() {
            let (low, high) = (-0.5 - self.start[axis], n as f64 - 0.5 - self.start[axis]);
            let step = self.step[axis];
            if step.abs() < 1e-12 {
                if low > ROUNDING || high < -ROUNDING {
                    return 0..0;
                }
                continue;
            }
            let (near, far) = if step > 0.0 { (low, high) } else { (high, low) };
            first = first.max((near / step - ROUNDING).ceil());
            end = end.min((far / step + ROUNDING).floor() + 1.0);
        }
        if first < end { first as usize..end as usize } else { 0..0 }
    }
}

/// Indices nearer than this to a border are on it.
const ROUNDING: f64 = 1e-6;

/// A point between voxels: along each axis the voxel below, the voxel above, and how far it is from the first to the second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Between {
    axes: [(usize, usize, f32); 3],
    size: [usize; 3],
}

impl Between {
    /// The point at a fractional index, which is pulled into the grid where it lies outside.
    pub(crate) fn at(index: [f64; 3], size: [usize; 3]) -> Self {
        // Written out: this is the innermost loop, and a closure over axes is not always made part of it.
        let axes = [split(index[0], size[0]), split(index[1], size[1]), split(index[2], size[2])];
        Self { axes, size }
    }

    /// Offset of the corner with the lowest indices.
    pub(crate) fn lowest(&self) -> usize {
        let [(x, ..), (y, ..), (z, ..)] = self.axes;
        (z * self.size[1] + y) * self.size[0] + x
    }

    /// The corners around it.
    pub(crate) fn corners(&self) -> Corners {
        let [(x, x_next, fx), (y, y_next, fy), (z, z_next, fz)] = self.axes;
        let row = |z: usize, y: usize| (z * self.size[1] + y) * self.size[0];
        let rows = [row(z, y), row(z, y_next), row(z_next, y), row(z_next, y_next)];
        let (gx, gy, gz) = (1.0 - fx, 1.0 - fy, 1.0 - fz);
        let across = [gz * gy, gz * fy, fz * gy, fz * fy];
        let mut offsets = [0; 8];
        let mut weights = [0.0; 8];
        for n in 0..4 {
            (offsets[2 * n], offsets[2 * n + 1]) = (rows[n] + x, rows[n] + x_next);
            (weights[2 * n], weights[2 * n + 1]) = (across[n] * gx, across[n] * fx);
        }
        Corners { offsets, weights }
    }
}

/// The eight voxels around a point, and how much each counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Corners {
    offsets: [usize; 8],
    weights: [f32; 8],
}

impl Corners {
    /// The weighted sum of the values at the corners.
    pub(crate) fn interpolate(&self, values: &[f32]) -> f32 {
        self.offsets.iter().zip(self.weights).map(|(offset, weight)| values[*offset] * weight).sum()
    }
}

/// The voxel below, the voxel above, and how far it is from the first to the second.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=count - 1; a fraction needs no more than f32"
)]
fn split(index: f64, count: usize) -> (usize, usize, f32) {
    let index = index.clamp(0.0, (count - 1) as f64);
    let low = index as usize;
    (low, (low + 1).min(count - 1), (index - low as f64) as f32)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=count - 1"
)]
fn nearest(index: [f64; 3], size: [usize; 3]) -> usize {
    let [x, y, z] =
        [0, 1, 2].map(|axis| index[axis].round().clamp(0.0, (size[axis] - 1) as f64) as usize);
    (z * size[1] + y) * size[0] + x
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn identity() -> IndexMap {
        IndexMap { offset: [0.0; 3], steps: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] }
    }

    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    fn voxels(size: [usize; 3], of: impl Fn([usize; 3]) -> f64) -> Vec<f32> {
        let indices = (0..size[2])
            .flat_map(|k| (0..size[1]).flat_map(move |j| (0..size[0]).map(move |i| [i, j, k])));
        indices.map(|index| of(index) as f32).collect()
    }

    fn linear(size: [usize; 3], of: impl Fn([f64; 3]) -> f64) -> Vec<f32> {
        voxels(size, |index| of(index.map(|n| n as f64)))
    }

    #[test]
    fn the_identity_changes_nothing() {
        let size = [5, 4, 3];
        let values = linear(size, |[x, y, z]| x * x - 3.0 * y + z * y);
        let field = Field { values: &values, size };
        for interpolation in [Interpolation::Linear, Interpolation::Nearest] {
            assert_eq!(resample(&field, &identity(), size, interpolation, -1.0), values);
        }
    }

    #[test]
    fn a_linear_function_is_kept_along_any_direction() {
        let size = [20, 22, 24];
        let of = |[x, y, z]: [f64; 3]| 2.0 * x - 0.5 * y + 1.5 * z + 7.0;
        let values = linear(size, of);
        let map = IndexMap {
            offset: [6.0, 5.0, 7.5],
            steps: [[0.31, 0.2, -0.1], [-0.17, 0.43, 0.22], [0.1, -0.15, 0.53]],
        };
        let got =
            resample(&Field { values: &values, size }, &map, [9, 8, 7], Interpolation::Linear, 0.0);
        let wanted = voxels([9, 8, 7], |[i, j, k]| of(Line::new(&map, j, k).at(i)));
        for (got, wanted) in got.iter().zip(&wanted) {
            assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
        }
    }

    #[test]
    fn the_outside_begins_half_a_voxel_beyond_the_last_centre() {
        let values = [10.0, 20.0];
        let field = Field { values: &values, size: [2, 1, 1] };
        let at = |x: f64| {
            let map = IndexMap { offset: [x, 0.0, 0.0], ..identity() };
            resample(&field, &map, [1, 1, 1], Interpolation::Linear, -9.0)[0]
        };
        let got = [-0.6, -0.4, 0.0, 0.25, 1.0, 1.4, 1.6].map(at);
        assert_eq!(got, [-9.0, 10.0, 10.0, 12.5, 20.0, 20.0, -9.0]);
    }

    #[test]
    fn a_row_is_cut_where_it_enters_and_leaves() {
        let map = IndexMap { offset: [12.0, 1.0, 0.0], steps: [[-1.0, 0.0, 0.0]; 3] };
        assert_eq!(Line::new(&map, 0, 0).inside([5, 3, 1], 30), 8..13);
        let beside = IndexMap { offset: [12.0, 4.0, 0.0], ..map };
        assert_eq!(Line::new(&beside, 0, 0).inside([5, 3, 1], 30), 0..0);
    }

    #[test]
    fn every_point_inside_is_found_and_no_other() {
        let size = [7, 6, 5];
        let map = IndexMap {
            offset: [-2.0, 3.0, 1.0],
            steps: [[0.7, -0.3, 0.21], [0.2, 0.9, 0.0], [0.0, -0.4, 0.8]],
        };
        for (j, k) in (0..6).flat_map(|j| (0..6).map(move |k| (j, k))) {
            let line = Line::new(&map, j, k);
            let inside = line.inside(size, 20);
            for i in 0..20 {
                let index = line.at(i);
                let is_in = (0..3).all(|n| (-0.5..=size[n] as f64 - 0.5).contains(&index[n]));
                assert_eq!(inside.contains(&i), is_in, "{i} {j} {k} {index:?}");
            }
        }
    }
}
