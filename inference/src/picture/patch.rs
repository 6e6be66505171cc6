//! The part of a slice in which a map may be above a half: all that a mask needs of it.

use std::ops::Range;

use super::axis::Axis;
use super::back::taps;
use super::taps::resample;
use super::turn::Lie;

/// Where no value of the map is above this, none between its values is above a half: they are means of these. What is left to a
/// half is more than means are rounded by.
const NEAR: f32 = 0.499;

/// A map at the pixels of the source, as far as it may be above a half.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Patch {
    /// Which columns of the source.
    pub(crate) columns: Range<usize>,
    /// Which rows.
    pub(crate) rows: Range<usize>,
    /// Row by row; the same numbers that [`super::Framing::back`] gives there.
    pub(crate) values: Vec<f32>,
}

impl Patch {
    /// Each row of the source that the patch has a part of, with that part.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.rows.clone().zip(self.values.chunks(self.columns.len().max(1)))
    }
}

/// The patch of a map on the picture; an empty one where it is nowhere near a half.
pub(crate) fn patch(map: &[f32], lie: Lie, axes: [Axis; 2]) -> Patch {
    let map = lie.turned_back(map, axes[0].side);
    let Some([columns, rows]) = near(&map, axes[0].side) else { return Patch::default() };
    let [along, down] = axes.map(taps);
    let (columns, rows) = (along.touching(columns), down.touching(rows));
    let parts = [&along.part(&columns), &down.part(&rows)];
    let values = resample(&map, parts, |_| {}, |lanes| lanes);
    Patch { columns, rows, values }
}

/// The columns and the rows of a square around all that is near a half.
fn near(map: &[f32], side: usize) -> Option<[Range<usize>; 2]> {
    let largest = |row: &[f32]| row.iter().fold(0.0, |most: f32, value| most.max(*value));
    let rows = around(map.chunks(side).map(largest))?;
    let mut most = vec![0.0_f32; side];
    for row in map.chunks(side).skip(rows.start).take(rows.len()) {
        most.iter_mut().zip(row).for_each(|(most, value)| *most = most.max(*value));
    }
    Some([around(most.into_iter())?, rows])
}

/// From the first to the last that is near a half.
fn around(values: impl Iterator<Item = f32>) -> Option<Range<usize>> {
    let mut near = values.enumerate().filter(|(_, value)| *value > NEAR).map(|(index, _)| index);
    let first = near.next()?;
    Some(first..near.last().unwrap_or(first) + 1)
}
