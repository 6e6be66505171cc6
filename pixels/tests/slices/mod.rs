//! What all tests of slices share.

use std::sync::Arc;

use domain::VolumeGeometry;
use series::{SourceInstance, SourceSlice};

/// A slice of an instance, wherever it lies.
pub(crate) fn slice_of(
    instance: SourceInstance,
    frame_index: usize,
    rescale_slope: f64,
    rescale_intercept: f64,
) -> SourceSlice {
    SourceSlice {
        instance: Arc::new(instance),
        frame_index,
        frame_number: None,
        position_mm: [0.0; 3],
        position_bytes: Vec::new(),
        rescale_slope,
        rescale_intercept,
    }
}

/// A grid of one slice.
pub(crate) fn grid(columns: usize, rows: usize) -> VolumeGeometry {
    VolumeGeometry {
        size: [columns, rows, 1],
        spacing_mm: [1.0; 3],
        origin_mm: [0.0; 3],
        directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}
