//! Generation 1, where the picture is as large as the image or larger: cubic B-splines over an image that is 0 all around.

use super::axis::Axis;
use super::levels::Levels;
use super::taps::{Lanes, Taps, index, resample};
use super::work::for_each_chunk;

/// The pole of the filter that turns values into coefficients of cubic B-splines: √3 − 2. Beyond an image that is 0 all around
/// a coefficient is this times the one before it.
pub(crate) const POLE: f64 = -0.267_949_192_431_122_7;

/// The same for what is filtered.
const POLE_SINGLE: f32 = -0.267_949_2;

/// What the filter begins with on its way back: −pole ÷ (1 − pole²), for an image that is 0 behind its end.
const TURN_SINGLE: f32 = 0.288_675_13;

/// How much larger coefficients are than what the filter gives.
const GAIN: f64 = 6.0;

/// The picture of a channel, as the source lies. No axis of the picture is shorter than that of the padded source.
pub(crate) fn enlarge(levels: &Levels<'_>, [columns, rows]: [Axis; 2]) -> Vec<u8> {
    if columns.is_same() && rows.is_same() {
        return cut_as_it_is(levels, columns.count, rows.count);
    }
    let mut values = vec![0.0; columns.count * rows.count];
    for_each_chunk(&mut values, columns.count, || (), |(), j, row| levels.row(j, row));
    if !rows.is_same() {
        filter_rows(&mut values, columns.count);
    }
    let between = |tile: &mut [Lanes]| {
        if !columns.is_same() {
            filter_tile(tile);
        }
    };
    let taps = [&taps(columns), &taps(rows)];
    let range = Range::of(levels, [columns, rows]);
    match range {
        Range { least: 0, greatest: 255 } => resample(&values, taps, between, cut_lanes),
        Range { .. } => range.cut(&resample(&values, taps, between, |lanes| lanes)),
    }
}

fn cut_as_it_is(levels: &Levels<'_>, columns: usize, rows: usize) -> Vec<u8> {
    let mut cut = vec![0; columns * rows];
    let whole = levels.whole();
    for_each_chunk(&mut cut, columns, || (), |(), j, row| levels.row_cut(j, row, whole.as_ref()));
    cut
}

fn taps(axis: Axis) -> Taps {
    if axis.is_same() {
        return Taps::same(axis.count);
    }
    let outputs = (0..axis.side).map(|n| {
        let (first, weights) = cubic(axis.in_source(n));
        (first, weights.map(|weight| weight * GAIN))
    });
    Taps::new(axis.count, POLE, outputs)
}

/// The coefficients that count at a position, and how much: the first of four.
pub(crate) fn cubic(position: f64) -> (i64, [f64; 4]) {
    let below = position.floor();
    let t = position - below;
    let u = 1.0 - t;
    let weights = [
        u * u * u / 6.0,
        2.0 / 3.0 - t * t * (2.0 - t) / 2.0,
        2.0 / 3.0 - u * u * (2.0 - u) / 2.0,
        t * t * t / 6.0,
    ];
    (index(below) - 1, weights)
}

/// Each column to coefficients, less the gain.
fn filter_rows(values: &mut [f32], columns: usize) {
    let rows = values.len() / columns.max(1);
    for j in 1..rows {
        let (above, here) = values.split_at_mut(j * columns);
        let above = &above[(j - 1) * columns..];
        here.iter_mut().zip(above).for_each(|(here, above)| *here += POLE_SINGLE * above);
    }
    let end = rows.saturating_sub(1) * columns;
    values[end..].iter_mut().for_each(|value| *value *= TURN_SINGLE);
    for j in (1..rows).rev() {
        let (above, here) = values.split_at_mut(j * columns);
        let above = &mut above[(j - 1) * columns..];
        above
            .iter_mut()
            .zip(here)
            .for_each(|(above, here)| *above = POLE_SINGLE * (*here - *above));
    }
}

/// Each row to coefficients, less the gain.
fn filter_tile(tile: &mut [Lanes]) {
    let mut before = [0.0; super::taps::LANES];
    for here in tile.iter_mut() {
        here.iter_mut().zip(before).for_each(|(here, before)| *here += POLE_SINGLE * before);
        before = *here;
    }
    let mut backward = tile.iter_mut().rev();
    let Some(last) = backward.next() else { return };
    last.iter_mut().for_each(|value| *value *= TURN_SINGLE);
    let mut behind = *last;
    for here in backward {
        here.iter_mut()
            .zip(behind)
            .for_each(|(here, behind)| *here = POLE_SINGLE * (behind - *here));
        behind = *here;
    }
}

/// Added before decimals are cut off, so that what rounding took from a whole number is given back.
const SLACK: f32 = 1.0 / 4096.0;

/// 1.5 × 2²³: in a single of about this size the last bit counts one.
const ONES: f32 = 12_582_912.0;

/// Decimals cut off, 0 to 255.
fn cut_lanes(lanes: Lanes) -> [u8; super::taps::LANES] {
    lanes.map(cut)
}

fn cut(level: f32) -> u8 {
    // Half a level less and rounded, which a machine does for several at a time.
    let [ones, ..] = (level.clamp(0.0, 255.0) + (SLACK - 0.5) + ONES).to_bits().to_le_bytes();
    ones
}

/// The range to which a picture is clipped: that of its image, with its zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    least: u8,
    greatest: u8,
}

impl Range {
    /// Of a channel in its picture.
    pub(crate) fn of(levels: &Levels<'_>, axes: [Axis; 2]) -> Self {
        let [least, greatest] = levels.extent();
        let has_zeros = axes.iter().any(|axis| axis.padded > axis.count);
        Self { least: if has_zeros { 0 } else { least }, greatest }
    }

    /// Clips, and cuts decimals off.
    ///
    /// Where the zeros around an image without black are reached, they belong to its range, as scikit-image has it.
    pub(crate) fn cut(self, values: &[f32]) -> Vec<u8> {
        let reached = values.iter().fold(false, |reached, value| reached | (*value <= 0.0));
        let least = if reached { 0 } else { self.least };
        values.iter().map(|value| cut(*value).clamp(least, self.greatest)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_cut_off_and_rounding_is_given_back() {
        let levels = [-3.0, 0.0, 0.4, 0.999, 1.0, 99.999_98, 100.0, 254.5, 255.0, 300.0];
        assert_eq!(levels.map(cut), [0, 0, 0, 0, 1, 100, 100, 254, 255, 255]);
        for level in 0..=255_u8 {
            assert_eq!([0.0, 0.5, 0.999].map(|more| cut(f32::from(level) + more)), [level; 3]);
        }
    }

    #[test]
    fn a_range_without_black_ends_where_zeros_are_reached() {
        let range = Range { least: 9, greatest: 20 };
        assert_eq!(range.cut(&[1.5, 8.0, 12.0, 30.0]), [9, 9, 12, 20]);
        assert_eq!(range.cut(&[1.5, -0.1, 12.0, 30.0]), [1, 0, 12, 20]);
    }

    #[test]
    fn the_filter_turns_an_impulse_into_the_spline_that_meets_it() {
        let mut rows = vec![0.0; 41];
        rows[20] = 1.0;
        filter_rows(&mut rows, 1);
        let mut tile = [[0.0; super::super::taps::LANES]; 41];
        tile[20] = [1.0; super::super::taps::LANES];
        filter_tile(&mut tile);
        for (n, (row, lanes)) in (0_i32..).zip(rows.iter().zip(tile)) {
            let wanted = 3.0_f64.sqrt() / GAIN * POLE.powi((n - 20).abs());
            assert!((f64::from(*row) - wanted).abs() < 1e-7, "{n}: {row} {wanted}");
            assert!(lanes.iter().all(|lane| lane.to_bits() == row.to_bits()), "{n}");
        }
    }
}
