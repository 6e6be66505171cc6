//! The longest distance between two points of a segment's surface mesh (IBSI L0JK), by the few
//! voxels that can end it.
//!
//! The mesh has its vertices half a voxel from a voxel's centre along one axis. So the vector
//! between two vertices is the vector between two centres, and longest when both ends lengthen it
//! along the same axis: by one voxel along that which gains most. Among centres, only corners of
//! the convex hull matter, and a corner of the hull is a corner in each plane through it.

use super::hull::{Point, hull};

/// A voxel by its indices (k, j, i).
pub(super) type Voxel = [i32; 3];

/// Side of the boxes in which candidates are put, as a power of two of voxels.
const BOX_SHIFT: u32 = 4;

/// The diameter in mm; `voxels` hold all corners of the convex hull of the segment, in any order,
/// `spacing_mm` is along k, j, i. 0 without voxels.
pub(super) fn maximum_diameter_mm(voxels: Vec<Voxel>, spacing_mm: [f64; 3]) -> f64 {
    let mut candidates = [1, 2, 0].into_iter().fold(voxels, corners_in_planes);
    let key = |voxel: &Voxel| voxel.map(|index| index >> BOX_SHIFT);
    candidates.sort_unstable_by_key(key);
    let groups: Vec<Group<'_>> =
        candidates.chunk_by(|a, b| key(a) == key(b)).map(Group::around).collect();
    let mut best = far(&candidates, spacing_mm);
    for (n, one) in groups.iter().enumerate() {
        for other in &groups[n..] {
            if reach(one.farthest(other), spacing_mm) > best {
                best = best.max(longest(one.voxels, other.voxels, spacing_mm));
            }
        }
    }
    best.sqrt()
}

/// Leaves the corners of each plane of equal index along an axis.
fn corners_in_planes(mut voxels: Vec<Voxel>, axis: usize) -> Vec<Voxel> {
    let [a, b] = [[1, 2], [0, 2], [0, 1]][axis];
    voxels.sort_unstable_by_key(|voxel| [voxel[axis], voxel[a], voxel[b]]);
    let planes = voxels.chunk_by(|one, other| one[axis] == other[axis]);
    let corners = |plane: &[Voxel]| {
        let points: Vec<Point> = plane.iter().map(|voxel| [voxel[a], voxel[b]]).collect();
        let at = plane[0][axis];
        hull(&points).into_iter().map(move |point| {
            let mut voxel = [at; 3];
            (voxel[a], voxel[b]) = (point[0], point[1]);
            voxel
        })
    };
    planes.flat_map(corners).collect()
}

/// Candidates that lie close together, and the box around them.
#[derive(Debug)]
struct Group<'v> {
    voxels: &'v [Voxel],
    first: Voxel,
    last: Voxel,
}

impl<'v> Group<'v> {
    fn around(voxels: &'v [Voxel]) -> Self {
        let all = |pick: fn(i32, i32) -> i32| {
            let both = |a: Voxel, b: &Voxel| [0, 1, 2].map(|axis| pick(a[axis], b[axis]));
            voxels.iter().fold(voxels[0], both)
        };
        Self { voxels, first: all(i32::min), last: all(i32::max) }
    }

    /// How far voxels of both can be apart.
    fn farthest(&self, other: &Self) -> Voxel {
        let apart = |axis: usize| {
            (self.last[axis] - other.first[axis]).max(other.last[axis] - self.first[axis])
        };
        [0, 1, 2].map(apart)
    }
}

/// The squared distance in mm² of the farthest vertices of two voxels that are so far apart.
fn reach(apart: Voxel, spacing_mm: [f64; 3]) -> f64 {
    let (mut squared, mut gain) = (0.0, 0.0_f64);
    for (apart, spacing) in apart.into_iter().zip(spacing_mm) {
        let length = f64::from(apart.abs()) * spacing;
        squared += length * length;
        gain = gain.max((2.0 * length + spacing) * spacing);
    }
    squared + gain
}

fn between(a: Voxel, b: Voxel) -> Voxel {
    [0, 1, 2].map(|axis| a[axis] - b[axis])
}

/// The squared longest distance between a voxel of one and a voxel of the other.
fn longest(one: &[Voxel], other: &[Voxel], spacing_mm: [f64; 3]) -> f64 {
    let of = |a: &Voxel| {
        let distances = other.iter().map(|b| reach(between(*a, *b), spacing_mm));
        distances.fold(0.0, f64::max)
    };
    one.iter().map(of).fold(0.0, f64::max)
}

/// A squared distance to begin with, mostly close to the longest: from the first voxel to the
/// farthest, and from there.
fn far(voxels: &[Voxel], spacing_mm: [f64; 3]) -> f64 {
    let Some(first) = voxels.first() else { return 0.0 };
    let from = |a: Voxel| move |b: &Voxel| reach(between(a, *b), spacing_mm);
    let by = |a: &&Voxel, b: &&Voxel| from(*first)(a).total_cmp(&from(*first)(b));
    let farthest = voxels.iter().max_by(by).unwrap_or(first);
    voxels.iter().map(from(*farthest)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By definition: over all pairs of mesh vertices.
    fn brute_force(voxels: &[Voxel], spacing_mm: [f64; 3]) -> f64 {
        let vertices: Vec<[f64; 3]> = voxels
            .iter()
            .flat_map(|voxel| {
                (0..6).map(move |side| {
                    let mut at = voxel.map(f64::from);
                    at[side / 2] += if side % 2 == 0 { -0.5 } else { 0.5 };
                    [0, 1, 2].map(|axis| at[axis] * spacing_mm[axis])
                })
            })
            .collect();
        let distance = |a: &[f64; 3], b: &[f64; 3]| {
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        vertices
            .iter()
            .flat_map(|a| vertices.iter().map(move |b| distance(a, b)))
            .fold(0.0, f64::max)
    }

    fn check(voxels: &[Voxel]) {
        for spacing_mm in [[1.0, 1.0, 1.0], [1.5, 0.75, 0.75], [0.3, 2.0, 0.9]] {
            let wanted = brute_force(voxels, spacing_mm);
            let got = maximum_diameter_mm(voxels.to_vec(), spacing_mm);
            assert!((got - wanted).abs() < 1e-9, "{got} {wanted} {spacing_mm:?}");
        }
    }

    #[test]
    fn is_the_longest_distance_between_mesh_vertices() {
        check(&[[3, 2, 1]]);
        check(&(0..50).map(|n| [n, 0, 0]).collect::<Vec<_>>());
        let scattered = (0..400).map(|n| [n * 37 % 61, n * n % 23, n * 29 % 53]);
        check(&scattered.collect::<Vec<_>>());
        let side = -9..=9_i32;
        let cube = side.clone().flat_map(|k| {
            let side = side.clone();
            side.clone().flat_map(move |j| side.clone().map(move |i| [k, j, i]))
        });
        // The shell of a ball: everywhere about as wide.
        let shell = |[k, j, i]: &Voxel| (70..=81).contains(&(k * k + j * j + i * i));
        check(&cube.filter(shell).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_has_no_diameter() {
        assert!(maximum_diameter_mm(Vec::new(), [1.0; 3]).abs() < f64::EPSILON);
    }
}
