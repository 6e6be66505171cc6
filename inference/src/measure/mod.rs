//! Numbers over the voxels of a mask: one pass, slice by slice, put together without loss of precision.

use domain::{Axes, Bounds, Extent, Intensity, Mask, Measurements, SliceMask, SourceGrid};
use rayon::prelude::*;

use crate::volume::Volume;

/// Sums over the pixels of one slice or more.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sums {
    count: usize,
    mean: f64,
    /// Sum of squared differences from the mean.
    squares: f64,
    minimum: f32,
    maximum: f32,
    bounds: Bounds,
}

/// Measures a mask over a volume of the same grid; `None` for an empty mask.
pub(crate) fn measure(mask: &Mask, volume: &Volume) -> Option<Measurements> {
    let pixels = mask.columns * mask.rows;
    let slices = mask.slices.par_iter().zip(volume.values.par_chunks(pixels)).enumerate();
    let parts: Vec<Sums> = slices
        .filter_map(|(k, (slice, values))| Sums::of(slice.as_ref()?, values, mask.columns, k))
        .collect();
    let sums = parts.into_iter().reduce(Sums::plus)?;
    let intensity = Intensity {
        mean: sums.mean,
        standard_deviation: (sums.squares / sums.count as f64).sqrt(),
        minimum: f64::from(sums.minimum),
        maximum: f64::from(sums.maximum),
        median: 0.0,
        unit: volume.unit,
    };
    Some(Measurements {
        voxel_count: sums.count,
        bounds: sums.bounds,
        extent: extent(mask, &volume.grid, sums.count),
        intensity: Some(intensity),
    })
}

fn extent(mask: &Mask, grid: &SourceGrid, count: usize) -> Extent {
    let axes = Axes { long_mm: 0.0, short_mm: 0.0 };
    let largest = || {
        let count = |slice: &Option<SliceMask>| slice.as_ref().map_or(0, |s| s.pixel_count);
        let slices = mask.slices.iter().map(count).enumerate();
        slices.rev().max_by_key(|(_, count)| *count).unwrap_or((0, 0))
    };
    match grid {
        SourceGrid::Patient(geometry) => Extent::Volumetric {
            volume_mm3: count as f64 * geometry.voxel_mm3(),
            surface_area_mm2: 0.0,
            maximum_diameter_mm: 0.0,
            axes,
        },
        SourceGrid::Frames(stack) => {
            let (frame_index, area_pixels) = largest();
            match stack.pixel_spacing_mm {
                Some([x, y]) => {
                    let area_mm2 = area_pixels as f64 * x * y;
                    Extent::Planar { frame_index, area_mm2, axes }
                }
                None => Extent::Pixels { frame_index, area_pixels },
            }
        }
    }
}

/// The indices of the pixels of a slice that are set, in order.
fn pixels_of(slice: &SliceMask) -> impl Iterator<Item = usize> {
    slice.bits.iter().enumerate().flat_map(|(index, byte)| {
        let mut rest = *byte;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (bit < 8).then_some(index * 8 + bit as usize)
        })
    })
}

impl Sums {
    fn of(slice: &SliceMask, values: &[f32], columns: usize, k: usize) -> Option<Self> {
        let (mut count, mut total) = (0, 0.0);
        let (mut minimum, mut maximum) = (f32::INFINITY, f32::NEG_INFINITY);
        let (mut first, mut last) = ([usize::MAX; 2], [0; 2]);
        for pixel in pixels_of(slice) {
            let value = values[pixel];
            count += 1;
            total += f64::from(value);
            (minimum, maximum) = (minimum.min(value), maximum.max(value));
            for (axis, index) in [pixel % columns, pixel / columns].into_iter().enumerate() {
                (first[axis], last[axis]) = (first[axis].min(index), last[axis].max(index));
            }
        }
        if count == 0 {
            return None;
        }
        let mean = total / count as f64;
        let squares = pixels_of(slice).map(|pixel| (f64::from(values[pixel]) - mean).powi(2)).sum();
        let bounds = Bounds { first: [first[0], first[1], k], last: [last[0], last[1], k] };
        Some(Self { count, mean, squares, minimum, maximum, bounds })
    }

    /// Both together: the variance of the parts and that between their means.
    fn plus(self, other: Self) -> Self {
        let count = self.count + other.count;
        let share = other.count as f64 / count as f64;
        let apart = other.mean - self.mean;
        let between = apart * apart * self.count as f64 * share;
        let (a, b) = (self.bounds, other.bounds);
        let bounds = Bounds {
            first: [0, 1, 2].map(|axis| a.first[axis].min(b.first[axis])),
            last: [0, 1, 2].map(|axis| a.last[axis].max(b.last[axis])),
        };
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + between,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
            bounds,
        }
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
}
