//! Numbers over the voxels of a mask. What each is, with formula, unit and source, is in
//! docs/measurements.md.
//!
//! Nothing is unpacked: intensities are read in runs of set pixels, lengths come from the
//! corners of the convex hull of each slice, and the surface from counting cases of cells 64 at a
//! time. Slices are worked on side by side.

mod axes;
mod cells;
mod diameter;
mod hull;
mod kept;
mod median;
pub(crate) mod runs;
mod sums;
mod surface;

use std::ops::Range;

use domain::{
    Axes, Bounds, Extent, FrameStack, Intensity, IntensityUnit, Mask, Measurements, SliceMask,
    SourceGrid, VolumeGeometry,
};
use rayon::prelude::*;

use crate::volume::Volume;
use hull::Point;
pub(crate) use kept::Kept;
use sums::Sums;

/// Where the values under masks are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    /// In a volume, with all others.
    Whole(&'a [f32]),
    /// One for each slice.
    Kept(&'a [Kept]),
}

impl Values<'_> {
    /// Those of a run of pixels of slice `k`, of which each has so many.
    fn under(&self, k: usize, pixels: usize, run: Range<usize>) -> &[f32] {
        match self {
            Self::Whole(values) => &values[k * pixels + run.start..k * pixels + run.end],
            Self::Kept(slices) => slices[k].under(run),
        }
    }
}

/// The intensities under a mask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intensities<'a> {
    /// One a pixel.
    pub(crate) values: Values<'a>,
    /// What they mean.
    pub(crate) unit: IntensityUnit,
}

/// What one slice of a mask has to say. It needs no other slice, so it can be asked while slices go by.
#[derive(Debug)]
pub(crate) struct Part {
    k: usize,
    sums: Sums,
    bounds: Bounds,
    /// Hull of the pixel centres, as (row, column).
    corners: Vec<Point>,
}

/// Measures a mask over a volume of the same grid; `None` for an empty mask. Lengths are in mm,
/// areas in mm², volumes in mm³.
///
/// On a grid in the patient the segment is measured in space, and its axes in the slice where the
/// long axis is longest. Of frames without a place, the one in which the segment is largest is
/// measured. Intensities are over all voxels in either case; colour has none.
///
/// # Panics
/// When the mask is of another size than the volume.
#[must_use]
pub fn measure(mask: &Mask, volume: &Volume) -> Option<Measurements> {
    let size = [mask.columns, mask.rows, mask.slices.len()];
    assert_eq!(size, volume.grid.size(), "a mask is on the grid of its volume");
    let pixels = mask.columns * mask.rows;
    let values = |k: usize| volume.values.get(k * pixels..(k + 1) * pixels);
    let slices = mask.slices.par_iter().enumerate();
    let parts: Vec<Part> = slices
        .filter_map(|(k, slice)| Part::of(slice.as_ref()?, values(k), mask.columns, k))
        .collect();
    let values = Values::Whole(&volume.values);
    let all = Intensities { values, unit: volume.unit };
    together(mask, &volume.grid, &parts, (!volume.values.is_empty()).then_some(all))
}

/// The same from what its slices said, in their order, each once; `None` where there is none. Colour has no intensities.
pub(crate) fn together(
    mask: &Mask,
    grid: &SourceGrid,
    parts: &[Part],
    intensities: Option<Intensities<'_>>,
) -> Option<Measurements> {
    let sums = parts.iter().map(|part| part.sums).reduce(Sums::plus)?;
    let bounds = parts.iter().map(|part| part.bounds).reduce(around)?;
    let extent = match grid {
        SourceGrid::Patient(geometry) => in_space(mask, &bounds, parts, geometry),
        SourceGrid::Frames(stack) => in_frame(parts, stack)?,
    };
    let intensity = intensities.map(|intensities| intensity(mask, intensities, &sums));
    Some(Measurements { voxel_count: sums.count, bounds, extent, intensity })
}

fn intensity(mask: &Mask, Intensities { values, unit }: Intensities<'_>, sums: &Sums) -> Intensity {
    // A mean that is finite is one of finite values.
    let median = if sums.mean.is_finite() {
        median::median(mask, values, sums.minimum..=sums.maximum, sums.count)
    } else {
        f64::NAN
    };
    Intensity {
        mean: sums.mean,
        standard_deviation: sums.standard_deviation(),
        minimum: f64::from(sums.minimum),
        maximum: f64::from(sums.maximum),
        median,
        unit,
    }
}

fn in_space(mask: &Mask, bounds: &Bounds, parts: &[Part], grid: &VolumeGeometry) -> Extent {
    let [x, y, z] = grid.spacing_mm;
    let count: usize = parts.iter().map(|part| part.sums.count).sum();
    let axes = parts.par_iter().map(|part| axes::axes(&part.corners, [x, y]));
    // One after the other: the same on any number of threads.
    let axes: Vec<Axes> = axes.collect();
    let none = Axes { long_mm: 0.0, short_mm: 0.0 };
    let voxels = parts.iter().flat_map(|part| {
        let k = hull::signed(part.k);
        part.corners.iter().map(move |[j, i]| [k, *j, *i])
    });
    Extent::Volumetric {
        volume_mm3: count as f64 * grid.voxel_mm3(),
        surface_area_mm2: surface::area_of(mask, bounds, grid.spacing_mm),
        maximum_diameter_mm: diameter::maximum_diameter_mm(voxels.collect(), [z, y, x]),
        axes: axes.into_iter().fold(none, axes::longer),
    }
}

/// The extent in the frame with most pixels, the first of several.
fn in_frame(parts: &[Part], stack: &FrameStack) -> Option<Extent> {
    let largest = parts.iter().rev().max_by_key(|part| part.sums.count)?;
    let (frame_index, area_pixels) = (largest.k, largest.sums.count);
    Some(match stack.pixel_spacing_mm {
        Some([x, y]) => Extent::Planar {
            frame_index,
            area_mm2: area_pixels as f64 * x * y,
            axes: axes::axes(&largest.corners, [x, y]),
        },
        None => Extent::Pixels { frame_index, area_pixels },
    })
}

impl Part {
    /// Of slice `k`, of so many columns; its values, row by row, where it has some. `None` of an empty mask.
    pub(crate) fn of(
        slice: &SliceMask,
        values: Option<&[f32]>,
        columns: usize,
        k: usize,
    ) -> Option<Self> {
        let spans = runs::row_spans(slice, columns);
        let (top, bottom) = (spans.first()?.row, spans.last()?.row);
        let left = spans.iter().map(|span| span.first).min()?;
        let right = spans.iter().map(|span| span.last).max()?;
        Some(Self {
            k,
            sums: match values {
                Some(values) => Sums::of(slice, values)?,
                None => Sums::counted(slice)?,
            },
            bounds: Bounds { first: [left, top, k], last: [right, bottom, k] },
            corners: axes::corners(&spans),
        })
    }
}

/// The box around two boxes.
fn around(a: Bounds, b: Bounds) -> Bounds {
    Bounds {
        first: [0, 1, 2].map(|axis| a.first[axis].min(b.first[axis])),
        last: [0, 1, 2].map(|axis| a.last[axis].max(b.last[axis])),
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "extremes are copied, not computed")]
mod tests {
    use super::*;
    use domain::{IntensityUnit, VolumeGeometry};

    #[test]
    fn numbers_are_those_of_the_definition() {
        let size = [7, 5, 4];
        let geometry = VolumeGeometry {
            size,
            spacing_mm: [0.5, 2.0, 3.0],
            origin_mm: [0.0; 3],
            directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        };
        let values: Vec<f32> = (0..140_u16).map(|n| 1.0e6 + f32::from((n * 37) % 101)).collect();
        // Not in plane 2, not in column 0, not in row 4.
        let set = |n: usize| n % 3 == 1 && !n.is_multiple_of(7) && n / 7 % 5 < 4 && n / 35 != 2;
        let voxels: Vec<bool> = (0..140).map(set).collect();
        let volume = Volume {
            grid: SourceGrid::Patient(geometry),
            values: values.clone(),
            unit: IntensityUnit::Signal,
        };
        let got = measure(&Mask::from_voxels(7, 5, &voxels), &volume).unwrap();
        let chosen: Vec<f64> = (0..140).filter(|n| set(*n)).map(|n| f64::from(values[n])).collect();
        let count = chosen.len() as f64;
        let mean = chosen.iter().sum::<f64>() / count;
        let variance = chosen.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        assert_eq!(got.voxel_count, chosen.len());
        assert!((got.extent.volume_mm3().unwrap() - count * 3.0).abs() < 1e-9);
        let bright = got.intensity.unwrap();
        assert!((bright.mean - mean).abs() < 1e-6, "{} {mean}", bright.mean);
        assert!((bright.standard_deviation - variance.sqrt()).abs() < 1e-9);
        assert_eq!(bright.minimum, chosen.iter().copied().fold(f64::INFINITY, f64::min));
        let mut sorted = chosen.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = [(sorted.len() - 1) / 2, sorted.len() / 2].map(|n| sorted[n]);
        assert_eq!(bright.median, f64::midpoint(middle[0], middle[1]));
        assert_eq!(bright.maximum, chosen.iter().copied().fold(0.0, f64::max));
        let along = |of: fn(usize) -> usize| {
            let all: Vec<_> = (0..140).filter(|n| set(*n)).map(of).collect();
            (all.iter().min().copied().unwrap(), all.iter().max().copied().unwrap())
        };
        let [x, y, z] = [along(|n| n % 7), along(|n| n / 7 % 5), along(|n| n / 35)];
        assert_eq!(got.bounds, Bounds { first: [x.0, y.0, z.0], last: [x.1, y.1, z.1] });
    }

    #[test]
    fn an_empty_mask_has_no_numbers() {
        let geometry = VolumeGeometry {
            size: [2, 2, 1],
            spacing_mm: [1.0; 3],
            origin_mm: [0.0; 3],
            directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        };
        let volume = Volume {
            grid: SourceGrid::Patient(geometry),
            values: vec![1.0; 4],
            unit: IntensityUnit::Signal,
        };
        assert_eq!(measure(&Mask::from_voxels(2, 2, &[false; 4]), &volume), None);
    }

    /// Two pixels in frame 1, three in frame 2, and three in frame 3.
    fn of_frames(pixel_spacing_mm: Option<[f64; 2]>) -> Measurements {
        let grid = SourceGrid::Frames(FrameStack { size: [3, 2, 4], pixel_spacing_mm });
        let values = (0..24_u8).map(f32::from).collect();
        let voxels: Vec<bool> =
            [6, 9, 12, 13, 14, 18, 19, 20].iter().fold(vec![false; 24], |mut voxels, n| {
                voxels[*n] = true;
                voxels
            });
        let volume = Volume { grid, values, unit: IntensityUnit::Signal };
        measure(&Mask::from_voxels(3, 2, &voxels), &volume).unwrap()
    }

    #[test]
    fn of_frames_the_first_of_the_largest_is_measured() {
        let got = of_frames(Some([2.0, 0.5]));
        let axes = Axes { long_mm: 6.0, short_mm: 0.5 };
        let (frame_index, area_pixels) = (2, 3);
        assert_eq!(got.extent, Extent::Planar { frame_index, area_mm2: 3.0, axes });
        assert_eq!(of_frames(None).extent, Extent::Pixels { frame_index, area_pixels });
        // Brightness is that of all frames.
        assert_eq!((got.voxel_count, got.intensity.unwrap().median), (8, 13.5));
    }

    #[test]
    fn values_that_are_none_have_no_median() {
        let grid = SourceGrid::Frames(FrameStack { size: [2, 1, 1], pixel_spacing_mm: None });
        let volume = Volume { grid, values: vec![f32::NAN, 1.0], unit: IntensityUnit::Signal };
        let got = measure(&Mask::from_voxels(2, 1, &[true; 2]), &volume).unwrap();
        assert!(got.intensity.unwrap().median.is_nan());
    }
}
