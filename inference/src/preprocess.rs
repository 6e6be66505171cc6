//! From a volume to what a network is fed: its grid, its intensities.

use std::borrow::Cow;

use domain::{Unsuitable, UnsuitableCode};

use crate::grid::{Grid, IndexMap};
use crate::intensity::{Mapping, smallest};
use crate::manifest::{Input, Intensity, Manifest, Per, Plan, SliceGrid, VolumeGrid};
use crate::resample::{Field, resample};
use crate::volume::Volume;

/// What a network is fed. Borrows the volume where its values are used as they are.
#[derive(Debug)]
pub struct ModelInput<'v> {
    pub(crate) feed: Feed<'v>,
    pub(crate) keep_probabilities: bool,
}

impl ModelInput<'_> {
    /// Whether findings shall have the probability of each pixel, too: a byte for each pixel of each label in slices that have
    /// some.
    #[must_use]
    pub fn keeping_probabilities(self, keep_probabilities: bool) -> Self {
        Self { keep_probabilities, ..self }
    }
}

/// By kind of network.
#[derive(Debug)]
pub(crate) enum Feed<'v> {
    /// 3-D.
    Volume(VolumeFeed<'v>),
    /// 2-D.
    Slices(SliceFeed<'v>),
}

/// A volume on the grid of a 3-D network, intensities mapped.
#[derive(Debug)]
pub(crate) struct VolumeFeed<'v> {
    /// Columns, rows, planes: W, H, D.
    pub(crate) size: [usize; 3],
    /// `[D][H][W]`.
    pub(crate) values: Cow<'v, [f32]>,
    /// What stands for the outside, intensity mapped.
    pub(crate) fill: f32,
    /// From the indices of the source to those of the network's grid.
    pub(crate) from_source: IndexMap,
    /// Whether both grids are the same.
    pub(crate) on_source: bool,
}

/// The slices of a volume, to be brought to the grid of a 2-D network in batches.
#[derive(Debug)]
pub(crate) struct SliceFeed<'v> {
    /// The source.
    pub(crate) field: Field<'v>,
    /// Rows and columns of the network.
    pub(crate) size: [usize; 2],
    /// From indices of the network's slices to those of the source.
    pub(crate) to_source: IndexMap,
    /// The mapping of all slices; `None`: each has its own.
    pub(crate) mapping: Option<Mapping>,
    /// Value outside, before intensities are mapped.
    pub(crate) outside: f32,
}

/// Brings a volume to a model's grid and intensities.
///
/// # Errors
/// [`UnsuitableCode::WrongModality`]; [`UnsuitableCode::TooFewSlices`]; [`UnsuitableCode::TooLarge`] when the model's grid
/// over this volume had too many voxels.
pub fn preprocess<'v>(
    manifest: &Manifest,
    volume: &'v Volume,
    modality: &str,
) -> Result<ModelInput<'v>, Unsuitable> {
    let spec = manifest.labelling()?;
    check(manifest, modality, volume.grid.size()[2])?;
    let feed = match &spec.plan {
        Plan::Volume { grid, .. } => Feed::Volume(feed_volume(&spec.input, grid, volume)?),
        Plan::Slice(grid) => Feed::Slices(feed_slices(&spec.input, grid, volume)),
    };
    Ok(ModelInput { feed, keep_probabilities: false })
}

/// Checks modality and number of slices.
///
/// # Errors
/// [`UnsuitableCode::WrongModality`]; [`UnsuitableCode::TooFewSlices`].
fn check(manifest: &Manifest, modality: &str, slices: usize) -> Result<(), Unsuitable> {
    check_modality(manifest, modality)?;
    check_slices(manifest, slices)
}

/// # Errors
/// [`UnsuitableCode::WrongModality`].
pub(crate) fn check_modality(manifest: &Manifest, modality: &str) -> Result<(), Unsuitable> {
    if !manifest.modalities.iter().any(|taken| taken == modality) {
        let taken = manifest.modalities.join(", ");
        let name = &manifest.identity.name;
        let found = if modality.is_empty() { "none" } else { modality };
        let detail = format!("modality {found}; {name} takes {taken}");
        return Err(Unsuitable::new(UnsuitableCode::WrongModality, detail));
    }
    Ok(())
}

/// # Errors
/// [`UnsuitableCode::TooFewSlices`].
pub(crate) fn check_slices(manifest: &Manifest, slices: usize) -> Result<(), Unsuitable> {
    let least = manifest.minimum_slices;
    if slices < least {
        let detail = format!("{slices} slices; {} needs {least}", manifest.identity.name);
        return Err(Unsuitable::new(UnsuitableCode::TooFewSlices, detail));
    }
    Ok(())
}

fn feed_volume<'v>(
    input: &Input,
    spec: &VolumeGrid,
    volume: &'v Volume,
) -> Result<VolumeFeed<'v>, Unsuitable> {
    let geometry = volume.grid.in_patient().ok_or_else(|| {
        let detail = "a model of volumes needs a Frame of Reference, positions and orientations";
        Unsuitable::new(UnsuitableCode::MissingGeometry, detail)
    })?;
    let source = Grid::of(geometry);
    let grid = Grid::of_network(spec, geometry)?;
    let outside = input.outside.unwrap_or_else(|| smallest(&volume.values));
    let to_source = IndexMap::between(&grid, &source);
    let on_source = grid.size == source.size && to_source.is_identity(grid.size);
    let mut values: Cow<'v, [f32]> = if on_source {
        Cow::Borrowed(&volume.values)
    } else {
        let field = Field { values: &volume.values, size: source.size };
        Cow::Owned(resample(&field, &to_source, grid.size, input.interpolation, outside))
    };
    let mapping = Mapping::of(&input.intensity, &values);
    if input.intensity != Intensity::None {
        mapping.apply_to(values.to_mut());
    }
    let from_source = IndexMap::between(&source, &grid);
    Ok(VolumeFeed { size: grid.size, values, fill: mapping.apply(outside), from_source, on_source })
}

fn feed_slices<'v>(input: &Input, spec: &SliceGrid, volume: &'v Volume) -> SliceFeed<'v> {
    let geometry = volume.grid.or_indices();
    let [columns, rows, _] = geometry.size;
    let size = spec.size.unwrap_or([rows, columns]);
    let mapping = match input.intensity.per() {
        Per::Series => Some(Mapping::of(&input.intensity, &volume.values)),
        Per::Slice => None,
    };
    SliceFeed {
        field: Field { values: &volume.values, size: geometry.size },
        size,
        to_source: IndexMap::of_slices(spec, size, &geometry),
        mapping,
        outside: input.outside.unwrap_or_else(|| smallest(&volume.values)),
    }
}

impl SliceFeed<'_> {
    /// The tensor `[batch, channels, rows, columns]` of `count` slices from `first` on; what is left of the batch is 0.
    pub(crate) fn batch(
        &self,
        input: &Input,
        first: usize,
        count: usize,
        batch: usize,
    ) -> Vec<f32> {
        let [rows, columns] = self.size;
        let map = self.to_source.starting_at_plane(first);
        let size = [columns, rows, count];
        let mut values = resample(&self.field, &map, size, input.interpolation, self.outside);
        for slice in values.chunks_mut(rows * columns) {
            let mapping = self.mapping.unwrap_or_else(|| Mapping::of(&input.intensity, slice));
            mapping.apply_to(slice);
        }
        let mut values = with_channels(values, rows * columns, input.channels);
        values.resize(batch * input.channels * rows * columns, 0.0);
        values
    }
}

/// Each part of `part` values as many times as there are channels, one after the other.
pub(crate) fn with_channels(values: Vec<f32>, part: usize, channels: usize) -> Vec<f32> {
    if channels == 1 {
        return values;
    }
    values
        .chunks(part)
        .flat_map(|part| std::iter::repeat_n(part, channels).flatten().copied())
        .collect()
}
