//! The grid of a network in patient space, made from that of the source; and maps from the indices of one grid to another's.

use domain::{Unsuitable, UnsuitableCode, VolumeGeometry, dot};

use crate::manifest::{Axes, Direction, Fit, SliceGrid, VolumeGrid};

/// Most voxels of a network's grid. Beyond it the series is unsuitable: too-large.
const GRID_VOXELS_MAX: usize = 1 << 29;

/// Differences in index below this are rounding, in voxels.
const SAME_INDEX: f64 = 1e-5;

/// A grid with orthogonal axes, either-handed. Arrays are in the order of growing strides: W, H, D.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    /// Number of voxels.
    pub(crate) size: [usize; 3],
    /// Centre of voxel (0, 0, 0), in mm, LPS.
    pub(crate) origin_mm: [f64; 3],
    /// From one voxel to the next along each axis, in mm, LPS.
    pub(crate) steps_mm: [[f64; 3]; 3],
}

impl Grid {
    /// The grid of a volume, which is stored `[k][j][i]`.
    pub(crate) fn of(geometry: &VolumeGeometry) -> Self {
        let step = |axis: usize| geometry.directions[axis].map(|d| d * geometry.spacing_mm[axis]);
        Self {
            size: geometry.size,
            origin_mm: geometry.origin_mm,
            steps_mm: [step(0), step(1), step(2)],
        }
    }

    /// The grid of a 3-D network over a source volume: centred on its centre where its axes or spacings differ.
    ///
    /// # Errors
    /// [`UnsuitableCode::TooLarge`] when it had too many voxels.
    pub(crate) fn of_network(
        spec: &VolumeGrid,
        source: &VolumeGeometry,
    ) -> Result<Self, Unsuitable> {
        // The manifest speaks in the order D, H, W.
        let [depth, height, width] = axes_of(spec, source);
        let axes = [width, height, depth];
        let spacing_mm: [f64; 3] = [0, 1, 2].map(|axis| {
            spec.spacing_mm.map_or(source.spacing_mm[axes[axis].nearest], |mm| mm[2 - axis])
        });
        let cover = [0, 1, 2].map(|axis| cover(&axes[axis], spacing_mm[axis], source));
        let size = [0, 1, 2].map(|axis| match spec.size {
            Some(size) => size[2 - axis],
            None => cover[axis]
                .checked_next_multiple_of(spec.multiple_of[2 - axis])
                .unwrap_or(usize::MAX),
        });
        check_size(size)?;
        // What rounding up adds lies at the far ends, so that the voxels of source and grid stay on each other.
        let centred = if spec.size.is_some() { size } else { cover };
        let steps_mm = [0, 1, 2].map(|axis| axes[axis].direction.map(|d| d * spacing_mm[axis]));
        let mut origin_mm = source.centre_mm();
        for (axis, step) in steps_mm.iter().enumerate() {
            let half = (centred[axis] as f64 - 1.0) / 2.0;
            for (o, s) in origin_mm.iter_mut().zip(step) {
                *o -= s * half;
            }
        }
        Ok(Self { size, origin_mm, steps_mm })
    }

    fn position_mm(&self, index: [f64; 3]) -> [f64; 3] {
        let mut position = self.origin_mm;
        for (step, index) in self.steps_mm.iter().zip(index) {
            for (p, s) in position.iter_mut().zip(step) {
                *p += s * index;
            }
        }
        position
    }

    fn along(&self, vector_mm: [f64; 3]) -> [f64; 3] {
        self.steps_mm.map(|step| dot(vector_mm, step) / dot(step, step))
    }
}

/// An axis of a network's grid.
#[derive(Debug, Clone, Copy)]
struct Axis {
    /// Unit vector, LPS.
    direction: [f64; 3],
    /// The source axis that is nearest to it.
    nearest: usize,
}

/// The axes in the order D, H, W.
fn axes_of(spec: &VolumeGrid, source: &VolumeGeometry) -> [Axis; 3] {
    let of_source = |nearest: usize| Axis { direction: source.directions[nearest], nearest };
    match spec.axes {
        Axes::Source => [of_source(2), of_source(1), of_source(0)],
        Axes::Patient(directions) => {
            let nearest = nearest_axes(directions, source);
            [0, 1, 2].map(|n| Axis { direction: directions[n].vector(), nearest: nearest[n] })
        }
        Axes::Image(directions) => {
            let nearest = nearest_axes(directions, source);
            [0, 1, 2].map(|n| {
                let direction = source.directions[nearest[n]];
                let opposite = dot(direction, directions[n].vector()) < 0.0;
                let direction = if opposite { direction.map(|d| -d) } else { direction };
                Axis { direction, nearest: nearest[n] }
            })
        }
    }
}

/// Which source axis lies nearest to each direction, each used once: the pairing with the largest sum of cosines.
fn nearest_axes(directions: [Direction; 3], source: &VolumeGeometry) -> [usize; 3] {
    let cosine =
        |direction: Direction, axis: usize| dot(direction.vector(), source.directions[axis]).abs();
    let pairings = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let sum = |pairing: &[usize; 3]| -> f64 {
        directions.iter().zip(pairing).map(|(direction, axis)| cosine(*direction, *axis)).sum()
    };
    let best = pairings.into_iter().max_by(|a, b| sum(a).total_cmp(&sum(b)));
    best.unwrap_or([0, 1, 2])
}

/// How many voxels hold the source volume, borders of its voxels included.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive; a float beyond usize saturates and is then too large"
)]
fn cover(axis: &Axis, spacing_mm: f64, source: &VolumeGeometry) -> usize {
    let extent_mm: f64 = (0..3)
        .map(|n| {
            let side_mm = source.size[n] as f64 * source.spacing_mm[n];
            side_mm * dot(axis.direction, source.directions[n]).abs()
        })
        .sum();
    // A hair less, so that rounding does not add a voxel.
    ((extent_mm / spacing_mm - 1e-4).ceil() as usize).max(1)
}

fn check_size(size: [usize; 3]) -> Result<(), Unsuitable> {
    let voxels = size.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    if voxels.is_some_and(|voxels| voxels <= GRID_VOXELS_MAX) {
        return Ok(());
    }
    let [width, height, depth] = size;
    let detail = format!(
        "the model's grid would have {depth} x {height} x {width} voxels, {GRID_VOXELS_MAX} are allowed"
    );
    Err(Unsuitable::new(UnsuitableCode::TooLarge, detail))
}

/// An affine map from the index of a target grid to the fractional index of another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexMap {
    /// Where index (0, 0, 0) of the target lies.
    pub(crate) offset: [f64; 3],
    /// How far one step along each axis of the target goes.
    pub(crate) steps: [[f64; 3]; 3],
}

impl IndexMap {
    /// From indices of `target` to indices of `source`.
    pub(crate) fn between(target: &Grid, source: &Grid) -> Self {
        let origin = target.position_mm([0.0; 3]);
        let offset = source.along(domain::sub(origin, source.origin_mm));
        Self { offset, steps: target.steps_mm.map(|step| source.along(step)) }
    }

    /// The map between slices of a source and those of a 2-D network with `size` rows and columns,
    /// from network to source, in plane. Pixels keep their areas: borders of the image meet, not centres of pixels.
    pub(crate) fn of_slices(spec: &SliceGrid, size: [usize; 2], source: &VolumeGeometry) -> Self {
        let [rows, columns] = size.map(|n| n as f64);
        let [source_columns, source_rows, _] = source.size.map(|n| n as f64);
        // In mm, so that a pixel that is no square is not distorted by padding.
        let mm = [source_columns * source.spacing_mm[0], source_rows * source.spacing_mm[1]];
        let scale = match spec.fit {
            Fit::Stretch => [source_columns / columns, source_rows / rows],
            Fit::Pad => {
                let pixel_mm = (mm[0] / columns).max(mm[1] / rows);
                [pixel_mm / source.spacing_mm[0], pixel_mm / source.spacing_mm[1]]
            }
        };
        let centre = |count: f64| (count - 1.0) / 2.0;
        let offset = [
            centre(source_columns) - centre(columns) * scale[0],
            centre(source_rows) - centre(rows) * scale[1],
            0.0,
        ];
        Self { offset, steps: [[scale[0], 0.0, 0.0], [0.0, scale[1], 0.0], [0.0, 0.0, 1.0]] }
    }

    /// The inverse of a map whose steps are along the axes, as those of [`IndexMap::of_slices`] are.
    pub(crate) fn inverse_of_axes(&self) -> Self {
        let scale = [0, 1, 2].map(|axis| self.steps[axis][axis].recip());
        let offset = [0, 1, 2].map(|axis| -self.offset[axis] * scale[axis]);
        let mut steps = [[0.0; 3]; 3];
        for (axis, step) in steps.iter_mut().enumerate() {
            step[axis] = scale[axis];
        }
        Self { offset, steps }
    }

    /// The same map for targets that begin at another plane of the same target.
    pub(crate) fn starting_at_plane(&self, plane: usize) -> Self {
        let offset = [0, 1, 2].map(|axis| self.offset[axis] + plane as f64 * self.steps[2][axis]);
        Self { offset, steps: self.steps }
    }

    /// Whether every index of a target of that size maps onto itself.
    pub(crate) fn is_identity(&self, size: [usize; 3]) -> bool {
        let near = |value: f64, wanted: f64, times: usize| {
            ((value - wanted) * times as f64).abs() < SAME_INDEX
        };
        let still = self.offset.iter().all(|offset| near(*offset, 0.0, 1));
        let same_step = |axis: usize, other: usize| {
            near(self.steps[axis][other], f64::from(u8::from(axis == other)), size[axis])
        };
        still && (0..3).all(|axis| (0..3).all(|other| same_step(axis, other)))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn oblique() -> VolumeGeometry {
        let (s, c) = 0.3_f64.sin_cos();
        VolumeGeometry {
            size: [30, 20, 10],
            spacing_mm: [0.7, 0.9, 2.5],
            origin_mm: [-12.0, 30.0, 5.0],
            directions: [[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]],
        }
    }

    fn spec(axes: Axes) -> VolumeGrid {
        VolumeGrid { spacing_mm: None, size: None, multiple_of: [1; 3], axes }
    }

    const LIA: [Direction; 3] = [Direction::Left, Direction::Inferior, Direction::Anterior];

    #[test]
    fn an_empty_spec_gives_the_source_grid() {
        let source = oblique();
        let grid = Grid::of_network(&spec(Axes::Source), &source).unwrap();
        assert_eq!(grid.size, source.size);
        let map = IndexMap::between(&grid, &Grid::of(&source));
        assert!(map.is_identity(grid.size), "{map:?}");
    }

    #[test]
    fn image_axes_permute_and_flip_without_moving_voxels() {
        let source = oblique();
        let grid = Grid::of_network(&spec(Axes::Image(LIA)), &source).unwrap();
        // W is anterior (against j), H inferior (against k), D left (along i).
        assert_eq!(grid.size, [20, 10, 30]);
        let map = IndexMap::between(&grid, &Grid::of(&source));
        for (got, want) in map.offset.iter().zip([0.0, 19.0, 9.0]) {
            assert!((got - want).abs() < 1e-9, "{map:?}");
        }
        assert!((map.steps[0][1] + 1.0).abs() < 1e-9 && (map.steps[2][0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn patient_axes_are_centred_and_point_where_they_say() {
        let source = oblique();
        let spec = VolumeGrid {
            spacing_mm: Some([1.0, 2.0, 3.0]),
            size: Some([64, 32, 16]),
            multiple_of: [1; 3],
            axes: Axes::Patient(LIA),
        };
        let grid = Grid::of_network(&spec, &source).unwrap();
        assert_eq!(grid.size, [16, 32, 64]);
        assert_eq!(grid.steps_mm, [[0.0, -3.0, 0.0], [0.0, 0.0, -2.0], [1.0, 0.0, 0.0]]);
        let centre = grid.position_mm([7.5, 15.5, 31.5]);
        let wanted = source.centre_mm();
        assert!((0..3).all(|n| (centre[n] - wanted[n]).abs() < 1e-9), "{centre:?} {wanted:?}");
    }

    #[test]
    fn a_grid_without_size_holds_the_whole_source() {
        let source = oblique();
        let mut spec = spec(Axes::Patient(LIA));
        spec.spacing_mm = Some([1.3, 1.1, 0.8]);
        let grid = Grid::of_network(&spec, &source).unwrap();
        let map = IndexMap::between(&Grid::of(&source), &grid);
        for corner in 0..8_usize {
            let bit = |axis: usize| corner >> axis & 1 == 1;
            for target in 0..3 {
                let index = (0..3).fold(map.offset[target], |index, axis| {
                    let end = if bit(axis) { source.size[axis] as f64 - 0.5 } else { -0.5 };
                    index + end * map.steps[axis][target]
                });
                let last = grid.size[target] as f64 - 0.5;
                assert!((-0.5 - 1e-3..=last + 1e-3).contains(&index), "{corner} {target} {index}");
            }
        }
    }

    #[test]
    fn multiples_are_added_at_the_far_ends() {
        let source = oblique();
        let mut spec = spec(Axes::Source);
        spec.multiple_of = [16, 8, 32];
        let grid = Grid::of_network(&spec, &source).unwrap();
        assert_eq!(grid.size, [32, 24, 16]);
        let map = IndexMap::between(&Grid::of(&source), &grid);
        assert!(map.is_identity(source.size), "{map:?}");
    }

    #[test]
    fn a_grid_beyond_the_limit_is_refused() {
        let mut spec = spec(Axes::Source);
        spec.spacing_mm = Some([1e-3; 3]);
        let error = Grid::of_network(&spec, &oblique()).unwrap_err();
        assert_eq!(error.code, UnsuitableCode::TooLarge);
        spec.spacing_mm = Some([1e-300; 3]);
        spec.multiple_of = [usize::MAX / 2; 3];
        let error = Grid::of_network(&spec, &oblique()).unwrap_err();
        assert_eq!(error.code, UnsuitableCode::TooLarge);
    }

    #[test]
    fn slices_are_stretched_or_padded_around_their_middle() {
        let source = VolumeGeometry { spacing_mm: [1.0, 1.0, 1.0], ..oblique() };
        let spec = |fit| SliceGrid { size: None, fit, batch: 1 };
        let stretch = IndexMap::of_slices(&spec(Fit::Stretch), [40, 60], &source);
        assert_eq!((stretch.steps[0][0], stretch.steps[1][1]), (0.5, 0.5));
        assert_eq!(stretch.offset, [-0.25, -0.25, 0.0]);
        let pad = IndexMap::of_slices(&spec(Fit::Pad), [60, 60], &source);
        assert_eq!((pad.steps[0][0], pad.steps[1][1]), (0.5, 0.5));
        assert_eq!(pad.offset, [-0.25, -5.25, 0.0]);
        let back = pad.inverse_of_axes();
        assert_eq!((back.steps[0][0], back.offset[0]), (2.0, 0.5));
    }
}
