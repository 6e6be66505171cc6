//! The intensities of a series on its grid.

use domain::{IntensityUnit, SourceGrid, Unsuitable, UnsuitableCode};
use rayon::prelude::*;
use series::SourceSeries;
use sha2::{Digest, Sha256};

use crate::manifest::hex;

/// A volume: one value a voxel, and where the voxels are.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The grid.
    pub grid: SourceGrid,
    /// One value a voxel, `[k][j][i]`; none where the source is of colour, or where nobody needed them all.
    pub values: Vec<f32>,
    /// What the values mean.
    pub unit: IntensityUnit,
}

impl Volume {
    /// Identifies grid and values: [`sha256_of`].
    pub(crate) fn sha256(&self) -> String {
        let [columns, rows, _] = self.grid.size();
        let planes: Vec<_> = self.values.par_chunks(columns * rows).map(plane_digest).collect();
        sha256_of(&self.grid, &planes)
    }
}

/// SHA-256 over a grid and the BLAKE3 digests of its planes, 64 lower-case hex digits.
pub(crate) fn sha256_of(grid: &SourceGrid, planes: &[[u8; 32]]) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{grid:?}"));
    planes.iter().for_each(|plane| digest.update(plane));
    hex(&digest.finalize())
}

/// BLAKE3 over the values of a plane, as little-endian bytes.
pub(crate) fn plane_digest(plane: &[f32]) -> [u8; 32] {
    if cfg!(target_endian = "little") {
        return *blake3::hash(bytemuck::must_cast_slice(plane)).as_bytes();
    }
    let mut digest = blake3::Hasher::new();
    plane.iter().for_each(|value| {
        digest.update(&value.to_le_bytes());
    });
    *digest.finalize().as_bytes()
}

/// Decodes all slices of a series, several at a time.
///
/// # Errors
/// What [`pixels::slice_values`] says of the first slice, in the order of the grid, that cannot be decoded.
pub fn read_volume(source: &SourceSeries) -> Result<Volume, Unsuitable> {
    let size = source.grid.size();
    let pixels_per_slice = size[0] * size[1];
    if source.slices.len() != size[2] {
        let (slices, planes) = (source.slices.len(), size[2]);
        let detail = format!("{slices} slices for a grid of {planes} planes");
        return Err(Unsuitable::new(UnsuitableCode::MixedGrid, detail));
    }
    let mut values = vec![0.0; size.iter().product()];
    let planes = values.par_chunks_mut(pixels_per_slice).zip(source.slices.par_iter());
    let failed = planes.map(|(plane, slice)| {
        let decoded = pixels::slice_values(slice, size)?;
        if decoded.len() != plane.len() {
            let detail = format!("{} pixels decoded, {} expected", decoded.len(), plane.len());
            return Err(Unsuitable::new(UnsuitableCode::TruncatedPixels, detail));
        }
        plane.copy_from_slice(&decoded);
        Ok(())
    });
    failed.find_first(Result::is_err).unwrap_or(Ok(()))?;
    Ok(Volume { grid: source.grid.clone(), values, unit: source.unit })
}
