//! The area of the surface mesh of a mask (IBSI C0JK): how often each case of a cell occurs, times
//! the area that it has.
//!
//! Cells lie between voxel centres, so there is one more of them along each axis than there are
//! voxels: what is outside the grid is outside the segment, and the mesh is closed. 64 cells are
//! looked at together; only those on the boundary cost more.

use domain::{Bounds, Mask, SliceMask};
use rayon::prelude::*;

use super::cells::{Case, area_mm2};
use super::runs::{WORD, word_at};

/// How often each case occurs.
type Counts = [usize; 256];

/// Area of the mesh in mm²; voxels outside `bounds` are not set, `spacing_mm` is along i, j, k.
pub(super) fn area_of(mask: &Mask, bounds: &Bounds, spacing_mm: [f64; 3]) -> f64 {
    let layers = (bounds.first[2]..=bounds.last[2] + 1).into_par_iter();
    let zero = || [0; 256];
    let counts = layers.map(|k| layer(mask, bounds, k)).reduce(zero, |mut sum, part| {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sum
    });
    let cases = (0..=Case::MAX).zip(counts).filter(|(_, count)| *count > 0);
    cases.map(|(case, count)| count as f64 * area_mm2(case, spacing_mm)).sum()
}

/// The cells between slice `k - 1` and slice `k`.
fn layer(mask: &Mask, bounds: &Bounds, k: usize) -> Counts {
    let slice = |k: Option<usize>| mask.slices.get(k?)?.as_ref();
    let slices = [slice(k.checked_sub(1)), slice(Some(k))];
    let mut counts = [0; 256];
    if slices == [None, None] {
        return counts;
    }
    let plane = |slice| Plane { slice, columns: mask.columns, rows: mask.rows };
    let planes = slices.map(plane);
    // Bit n of word w of a row is column 64 w + n, and stands for the cell to its left.
    for word in bounds.first[0] / WORD..=(bounds.last[0] + 1) / WORD {
        let mut above = [Columns::default(); 2];
        for row in bounds.first[1]..=bounds.last[1] + 1 {
            let here = [planes[0].columns_at(row, word), planes[1].columns_at(row, word)];
            count(above, here, &mut counts);
            above = here;
        }
    }
    counts
}

/// 64 pixels of a row, and for each its left neighbour.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    left: u64,
    right: u64,
}

/// Counts the cells between two rows of two planes.
fn count(above: [Columns; 2], here: [Columns; 2], counts: &mut Counts) {
    // In the order of a case's bits: x, then y, then z.
    let corners = [above[0], here[0], above[1], here[1]].map(|pair| [pair.left, pair.right]);
    let corners = corners.as_flattened();
    let any = corners.iter().fold(0, |any, bits| any | bits);
    let all = corners.iter().fold(u64::MAX, |all, bits| all & bits);
    let mut boundary = any & !all;
    while boundary != 0 {
        let cell = boundary.trailing_zeros();
        boundary &= boundary - 1;
        let bit = |n: usize| usize::from(corners[n] >> cell & 1 == 1) << n;
        let case = (0..8).fold(0, |case, n| case | bit(n));
        counts[case] += 1;
    }
}

/// A slice by rows of 64 pixels.
#[derive(Debug, Clone, Copy)]
struct Plane<'m> {
    slice: Option<&'m SliceMask>,
    columns: usize,
    rows: usize,
}

impl Plane<'_> {
    fn columns_at(&self, row: usize, word: usize) -> Columns {
        let right = self.word(row, word);
        let before = word.checked_sub(1).map_or(0, |before| self.word(row, before));
        Columns { left: right << 1 | before >> (WORD - 1), right }
    }

    /// Columns 64 `word` and on of a row; what is outside the slice is 0.
    fn word(&self, row: usize, word: usize) -> u64 {
        let first = word * WORD;
        let Some(slice) = self.slice.filter(|_| row < self.rows && first < self.columns) else {
            return 0;
        };
        let bit = row * self.columns + first;
        let (byte, shift) = (bit / 8, bit % 8);
        let low = word_at(&slice.bits, byte) >> shift;
        let ninth = slice.bits.get(byte + 8).copied().unwrap_or(0);
        // In two steps: a shift by 64 is none.
        let bits = low | u64::from(ninth) << (WORD - 1 - shift) << 1;
        let beyond = (first + WORD).saturating_sub(self.columns);
        bits & (u64::MAX >> beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The area of the voxels for which a function says so, on a grid that is as large as they are.
    fn area(size: [usize; 3], spacing_mm: [f64; 3], inside: impl Fn([usize; 3]) -> bool) -> f64 {
        let at = |n: usize| [n % size[0], n / size[0] % size[1], n / size[0] / size[1]];
        let voxels: Vec<bool> = (0..size.iter().product()).map(|n| inside(at(n))).collect();
        let mask = Mask::from_voxels(size[0], size[1], &voxels);
        let bounds = Bounds { first: [0; 3], last: size.map(|n| n - 1) };
        area_of(&mask, &bounds, spacing_mm)
    }

    /// A box of voxels: its mesh is a box with bevelled edges and corners.
    fn bevelled(size: [usize; 3], spacing_mm: [f64; 3]) -> f64 {
        let flat = [0, 1, 2].map(|axis| (size[axis] as f64 - 1.0) * spacing_mm[axis]);
        let half = spacing_mm.map(|spacing| spacing / 2.0);
        let [faces, edges] = [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
            .map(|[a, b, c]| [2.0 * flat[a] * flat[b], 4.0 * flat[a] * half[b].hypot(half[c])])
            .into_iter()
            .fold([0.0, 0.0], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
        let [x, y, z] = half;
        let corner = (x * y).hypot(y * z).hypot(z * x) / 2.0;
        faces + edges + 8.0 * corner
    }

    #[test]
    fn boxes_have_the_area_of_their_mesh() {
        let spacing_mm = [0.5, 0.75, 2.0];
        for size in [
            [1, 1, 1],
            [9, 1, 1],
            [1, 9, 1],
            [1, 1, 9],
            [5, 7, 1],
            [3, 4, 5],
            [63, 3, 2],
            [64, 3, 2],
            [65, 3, 2],
            [127, 2, 2],
            [128, 2, 3],
            [129, 3, 1],
        ] {
            let got = area(size, spacing_mm, |_| true);
            let wanted = bevelled(size, spacing_mm);
            assert!((got - wanted).abs() < 1e-9 * wanted, "{size:?}: {got} {wanted}");
        }
    }

    #[test]
    fn a_place_on_the_grid_changes_nothing() {
        let blob = |[i, j, k]: [usize; 3]| (i * 7 + j * 5 + k * 3 + i * j * k) % 4 < 2;
        let alone = area([9, 8, 7], [1.0, 1.5, 2.0], blob);
        for [x, y, z] in [[1, 0, 0], [56, 3, 1], [60, 0, 2], [63, 1, 0], [64, 5, 3]] {
            let moved = area([x + 9, y + 8, z + 7], [1.0, 1.5, 2.0], |[i, j, k]| {
                i >= x && j >= y && k >= z && blob([i - x, j - y, k - z])
            });
            assert!((alone - moved).abs() < 1e-9 * alone, "{alone} {moved} {x} {y} {z}");
        }
    }

    #[test]
    fn a_ball_has_the_known_bias() {
        // Terraces make the mesh of a binary ball 8 to 10 % larger than the ball, at every size.
        for radius in [10.0, 20.0, 35.0_f64] {
            let square = |n: usize| (n as f64 - 40.0).powi(2);
            let inside = |at: [usize; 3]| at.map(square).iter().sum::<f64>() <= radius * radius;
            let ratio =
                area([81; 3], [1.0; 3], inside) / (4.0 * std::f64::consts::PI * radius * radius);
            assert!((1.05..1.11).contains(&ratio), "{radius}: {ratio}");
        }
    }
}
