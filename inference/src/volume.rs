//! The intensities of a series on its grid.

use domain::{IntensityUnit, Unsuitable, UnsuitableCode, VolumeGeometry};
use rayon::prelude::*;
use series::SourceSeries;

/// A volume: one value a voxel, and where the voxels are.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The grid.
    pub geometry: VolumeGeometry,
    /// One value a voxel, `[k][j][i]`.
    pub values: Vec<f32>,
    /// What the values mean.
    pub unit: IntensityUnit,
}

/// Decodes all slices of a series, several at a time.
///
/// # Errors
/// What [`pixels::slice_values`] says of the first slice, in the order of the grid, that cannot be decoded.
pub fn read_volume(source: &SourceSeries) -> Result<Volume, Unsuitable> {
    let geometry = &source.geometry;
    let pixels_per_slice = geometry.size[0] * geometry.size[1];
    if source.slices.len() != geometry.size[2] {
        let (slices, planes) = (source.slices.len(), geometry.size[2]);
        let detail = format!("{slices} slices for a grid of {planes} planes");
        return Err(Unsuitable::new(UnsuitableCode::MixedGrid, detail));
    }
    let mut values = vec![0.0; geometry.voxel_count()];
    let planes = values.par_chunks_mut(pixels_per_slice).zip(source.slices.par_iter());
    let failed = planes.map(|(plane, slice)| {
        let decoded = pixels::slice_values(slice, geometry)?;
        if decoded.len() != plane.len() {
            let detail = format!("{} pixels decoded, {} expected", decoded.len(), plane.len());
            return Err(Unsuitable::new(UnsuitableCode::TruncatedPixels, detail));
        }
        plane.copy_from_slice(&decoded);
        Ok(())
    });
    failed.find_first(Result::is_err).unwrap_or(Ok(()))?;
    Ok(Volume { geometry: geometry.clone(), values, unit: source.unit })
}
