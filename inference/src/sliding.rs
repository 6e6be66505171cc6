//! Overlapping windows over a grid, their scores averaged with weights.

use domain::Unsuitable;
use rayon::prelude::*;

use crate::infer::Run;
use crate::manifest::Weights;
use crate::preprocess::{VolumeFeed, with_channels};
use crate::scores::{Next, Scores, Store, View, failed};

/// Least weight of a voxel at the very corner of a window, so that no voxel is without.
const WEIGHT_MIN: f32 = 1e-3;

/// The windows over a grid. An axis that is shorter than its window is padded on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Windows {
    /// Along W, H, D.
    axes: [Axis; 3],
}

/// The windows along one axis. A voxel's total weight is the product of the sums along its axes, since windows stand in rows, columns and
/// planes; so no array of weights as large as the grid is needed.
#[derive(Debug, Clone, PartialEq)]
struct Axis {
    /// Voxels of the grid.
    count: usize,
    /// Voxels of a window.
    window: usize,
    /// Voxels of padding before the first of the grid.
    before: usize,
    /// First voxel of each window, counted from the padding on.
    starts: Vec<usize>,
    /// Weight of each voxel of a window.
    weights: Vec<f32>,
    /// 1 by the sum of weights over each voxel of the grid.
    scale: Vec<f32>,
}

impl Windows {
    /// Windows of a size in the manifest's order D, H, W, in which 0 stands for the whole axis; the grid's size is W, H, D.
    pub(crate) fn new(grid: [usize; 3], size: [usize; 3], overlap: f64, weights: Weights) -> Self {
        let axis = |n: usize| {
            let window = if size[2 - n] == 0 { grid[n] } else { size[2 - n] };
            Axis::new(grid[n], window, overlap, weights)
        };
        Self { axes: [axis(0), axis(1), axis(2)] }
    }

    fn size(&self) -> [usize; 3] {
        [0, 1, 2].map(|n| self.axes[n].window)
    }

    fn starts(&self) -> impl Iterator<Item = [usize; 3]> {
        let [x, y, z] = &self.axes;
        let plane = z.starts.iter().flat_map(|z| y.starts.iter().map(move |y| (*y, *z)));
        plane.flat_map(|(y, z)| x.starts.iter().map(move |x| [*x, y, z]))
    }
}

impl Axis {
    fn new(count: usize, window: usize, overlap: f64, weights: Weights) -> Self {
        let padded = count.max(window);
        let before = (padded - count) / 2;
        let starts = starts(padded - window, window, overlap);
        let weights = weights_of(window, weights);
        let mut sums = vec![0.0_f32; padded];
        for start in &starts {
            sums[*start..start + window].iter_mut().zip(&weights).for_each(|(sum, w)| *sum += w);
        }
        let scale = sums[before..before + count].iter().map(|sum| sum.recip()).collect();
        Self { count, window, before, starts, weights, scale }
    }

    /// The voxels of the grid under a window, and the first voxel of the window over them.
    fn under(&self, start: usize) -> (std::ops::Range<usize>, usize) {
        let first = start.max(self.before);
        let end = (start + self.window).min(self.before + self.count);
        (first - self.before..end - self.before, first - start)
    }
}

/// Starts that are spread evenly from 0 to `last`, no farther apart than the overlap allows.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 1 and the window"
)]
fn starts(last: usize, window: usize, overlap: f64) -> Vec<usize> {
    let stride = ((window as f64 * (1.0 - overlap)).floor() as usize).max(1);
    let steps = last.div_ceil(stride);
    (0..=steps).map(|step| (step * last + steps / 2).checked_div(steps).unwrap_or(0)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
fn weights_of(window: usize, weights: Weights) -> Vec<f32> {
    let (middle, deviation) = ((window as f64 - 1.0) / 2.0, window as f64 / 8.0);
    let weight = |n: usize| match weights {
        Weights::Uniform => 1.0,
        Weights::Gaussian => {
            let distance = (n as f64 - middle) / deviation;
            ((-0.5 * distance * distance).exp() as f32).max(WEIGHT_MIN)
        }
    };
    (0..window).map(weight).collect()
}

/// Runs a network in windows and averages what it says.
pub(crate) fn run(
    run: &Run<'_>,
    feed: VolumeFeed<'_>,
    windows: &Windows,
) -> Result<Scores, Unsuitable> {
    let mut sum: Option<Scores> = None;
    let starts: Vec<_> = windows.starts().collect();
    for (index, start) in starts.iter().copied().enumerate() {
        let values = cut(&feed, windows, start);
        let voxels = values.len();
        let values = with_channels(values, voxels, run.input().channels);
        let scores = run.scores(&values, windows.size(), Next::after(index, starts.len()))?;
        let zero = || Scores {
            channels: scores.channels,
            size: feed.size,
            store: Store::Own(vec![0.0; scores.channels * feed.values.len()]),
        };
        let sum = sum.get_or_insert_with(zero);
        if sum.channels != scores.channels {
            return Err(failed("the number of channels differs from window to window".into()));
        }
        add(sum, &scores.view(), windows, start);
    }
    drop(feed);
    let mut sum = sum.ok_or_else(|| failed("the grid has no window".into()))?;
    divide(&mut sum, windows);
    Ok(sum)
}

/// The values under a window; the fill value where it reaches beyond the grid.
fn cut(feed: &VolumeFeed<'_>, windows: &Windows, start: [usize; 3]) -> Vec<f32> {
    let [width, height, depth] = windows.size();
    let mut values = vec![feed.fill; width * height * depth];
    let [(x, x_at), (y, y_at), (z, z_at)] = [0, 1, 2].map(|n| windows.axes[n].under(start[n]));
    for (plane, k) in z.enumerate() {
        for (row, j) in y.clone().enumerate() {
            let to = ((z_at + plane) * height + y_at + row) * width + x_at;
            let from = (k * feed.size[1] + j) * feed.size[0];
            values[to..to + x.len()].copy_from_slice(&feed.values[from + x.start..from + x.end]);
        }
    }
    values
}

fn add(sum: &mut Scores, scores: &View<'_>, windows: &Windows, start: [usize; 3]) {
    let [columns, rows, planes] = sum.size;
    let [width, height, _] = windows.size();
    let [(x, x_at), (y, y_at), (z, z_at)] = [0, 1, 2].map(|n| windows.axes[n].under(start[n]));
    let weights = [0, 1, 2].map(|n| windows.axes[n].weights.as_slice());
    sum.store.values_mut().par_chunks_mut(columns * rows).enumerate().for_each(|(index, plane)| {
        let (channel, k) = (index / planes, index % planes);
        if !z.contains(&k) {
            return;
        }
        let plane_at = z_at + k - z.start;
        let window = scores.plane(channel, plane_at);
        for (row, j) in y.clone().enumerate() {
            let weight = weights[2][plane_at] * weights[1][y_at + row];
            let from = (y_at + row) * width + x_at;
            debug_assert!(y_at + row < height, "rows of the window");
            let target = &mut plane[j * columns + x.start..j * columns + x.end];
            let across = &weights[0][x_at..];
            for ((target, score), across) in target.iter_mut().zip(&window[from..]).zip(across) {
                *target += weight * across * score;
            }
        }
    });
}

fn divide(sum: &mut Scores, windows: &Windows) {
    let [columns, rows, planes] = sum.size;
    let [x, y, z] = [0, 1, 2].map(|n| windows.axes[n].scale.as_slice());
    sum.store.values_mut().par_chunks_mut(columns).enumerate().for_each(|(index, row)| {
        let scale = y[index % rows] * z[index / rows % planes];
        row.iter_mut().zip(x).for_each(|(value, x)| *value *= scale * x);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_even_and_reach_the_end() {
        assert_eq!(starts(0, 8, 0.5), [0]);
        assert_eq!(starts(4, 8, 0.5), [0, 4]);
        assert_eq!(starts(9, 8, 0.5), [0, 3, 6, 9]);
        assert_eq!(starts(3, 2, 0.9), [0, 1, 2, 3]);
    }

    #[test]
    fn every_voxel_has_weight() {
        for (count, window) in [(3, 8), (8, 8), (9, 8), (100, 16)] {
            let axis = Axis::new(count, window, 0.25, Weights::Gaussian);
            assert_eq!(axis.scale.len(), count);
            assert!(axis.scale.iter().all(|scale| scale.is_finite() && *scale > 0.0), "{axis:?}");
            assert_eq!(axis.starts.last().map(|start| start + window), Some(count.max(window)));
        }
    }

    #[test]
    fn padding_is_on_both_sides() {
        let axis = Axis::new(3, 8, 0.5, Weights::Uniform);
        assert_eq!((axis.before, axis.starts.as_slice()), (2, [0].as_slice()));
        assert_eq!(axis.under(0), (0..3, 2));
    }
}
