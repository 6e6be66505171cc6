//! What all tests of slices share.

use std::sync::Arc;

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
        position: None,
        rescale_slope,
        rescale_intercept,
    }
}

/// The size of a grid of one slice.
pub(crate) fn grid(columns: usize, rows: usize) -> [usize; 3] {
    [columns, rows, 1]
}
