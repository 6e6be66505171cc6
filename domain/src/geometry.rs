//! Where voxels are: an affine grid in the patient coordinate system (mm, LPS; PS3.3 §C.7.6.2.1.1).

/// The scalar product.
#[must_use]
pub fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The vector product.
#[must_use]
pub fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// `a - b`.
#[must_use]
pub fn sub(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// The Euclidean length.
#[must_use]
pub fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

/// A regular grid of voxels in patient space: mm, LPS (x to the patient's left, y to posterior, z to the head).
///
/// Index order is (i, j, k): i counts columns (along a row), j rows, k slices. Slices are ordered along
/// the normal, which is `directions[0]` × `directions[1]`, so the grid is right-handed.
/// Arrays that belong to a grid are stored k-major: `[k][j][i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeGeometry {
    /// Number of voxels along i, j, k; each at least 1.
    pub size: [usize; 3],
    /// Distance between voxel centres along i, j, k, in mm; each above 0.
    pub spacing_mm: [f64; 3],
    /// Centre of voxel (0, 0, 0), in mm, LPS.
    pub origin_mm: [f64; 3],
    /// Unit vectors of growing i, j, k, LPS. The third is the slice direction; with gantry tilt it would not be
    /// the normal, and such series are unsuitable.
    pub directions: [[f64; 3]; 3],
}

impl VolumeGeometry {
    /// Number of voxels.
    #[must_use]
    pub fn voxel_count(&self) -> usize {
        self.size[0] * self.size[1] * self.size[2]
    }

    /// Volume of one voxel, in mm³.
    #[must_use]
    pub fn voxel_mm3(&self) -> f64 {
        self.spacing_mm[0] * self.spacing_mm[1] * self.spacing_mm[2]
    }

    /// Centre of the voxel at the (fractional) index (i, j, k), in mm, LPS.
    #[must_use]
    pub fn position_mm(&self, index: [f64; 3]) -> [f64; 3] {
        let mut position = self.origin_mm;
        for (axis, direction) in self.directions.iter().enumerate() {
            for (p, d) in position.iter_mut().zip(direction) {
                *p += d * index[axis] * self.spacing_mm[axis];
            }
        }
        position
    }

    /// Fractional index (i, j, k) of a position in mm, LPS; the directions are orthonormal.
    #[must_use]
    pub fn index_at(&self, position_mm: [f64; 3]) -> [f64; 3] {
        let offset = sub(position_mm, self.origin_mm);
        [0, 1, 2].map(|axis| dot(offset, self.directions[axis]) / self.spacing_mm[axis])
    }

    /// Position of the middle of the grid, in mm, LPS.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "grid sizes are far below 2^52")]
    pub fn centre_mm(&self) -> [f64; 3] {
        self.position_mm(self.size.map(|n| (n as f64 - 1.0) / 2.0))
    }
}

/// Frames of pixels without a place in the patient: 2-D images, cine, endoscopy. Index order is (i, j, k): i counts columns, j
/// rows, k frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameStack {
    /// Number of pixels along i and j, and of frames; each at least 1.
    pub size: [usize; 3],
    /// Distance between columns, between rows in the patient, in mm; `None` where the source does not tell. What holds at the
    /// detector only (Imager Pixel Spacing) does not count.
    pub pixel_spacing_mm: Option<[f64; 2]>,
}

/// What source images are drawn on, and results of them, too.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceGrid {
    /// A regular grid in the patient.
    Patient(VolumeGeometry),
    /// Frames without a Frame of Reference.
    Frames(FrameStack),
}

impl SourceGrid {
    /// Number of columns, rows and slices or frames.
    #[must_use]
    pub fn size(&self) -> [usize; 3] {
        match self {
            Self::Patient(geometry) => geometry.size,
            Self::Frames(stack) => stack.size,
        }
    }

    /// The grid in the patient, where it is one.
    #[must_use]
    pub fn in_patient(&self) -> Option<&VolumeGeometry> {
        match self {
            Self::Patient(geometry) => Some(geometry),
            Self::Frames(_) => None,
        }
    }

    /// The grid, or for frames a stand-in that only arithmetic on indices may use: identity directions, and spacings of 1
    /// where they are unknown.
    #[must_use]
    pub fn or_indices(&self) -> VolumeGeometry {
        match self {
            Self::Patient(geometry) => geometry.clone(),
            Self::Frames(stack) => {
                let [x, y] = stack.pixel_spacing_mm.unwrap_or([1.0, 1.0]);
                VolumeGeometry {
                    size: stack.size,
                    spacing_mm: [x, y, 1.0],
                    origin_mm: [0.0; 3],
                    directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_position_are_inverse() {
        let s = 0.5_f64.sqrt();
        let grid = VolumeGeometry {
            size: [4, 5, 6],
            spacing_mm: [0.5, 0.7, 3.0],
            origin_mm: [10.0, -20.0, 30.0],
            directions: [[s, s, 0.0], [0.0, 0.0, 1.0], [s, -s, 0.0]],
        };
        let index = grid.index_at(grid.position_mm([1.5, 2.0, 4.25]));
        for (got, want) in index.iter().zip([1.5, 2.0, 4.25]) {
            assert!((got - want).abs() < 1e-12);
        }
    }
}
