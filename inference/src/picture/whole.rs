//! Levels of values that are whole numbers, as those of CT nearly always are: looked up, because dividing takes longer.

use pulp::{Arch, Simd, WithSimd};

use super::levels::Stretch;

/// Most whole numbers between the ends of a stretch for a table: it takes less time than a few rows then.
const WIDTH_MAX: f64 = 8192.0;

/// Ends beyond this may lie between values of 32 bits.
const END_MAX: f64 = 8_388_608.0;

/// Added to a number from 0 to 2²³, this leaves it rounded to a whole one, in the lowest 23 bits.
const SHIFT: f32 = 8_388_608.0;

/// The lowest 23 bits.
const LOWEST: u32 = 0x007f_ffff;

/// Values that are looked up together; one that is not whole has all of them divided.
const TOGETHER: usize = 64;

/// The level of each whole value between the ends of a stretch, decimals cut off.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whole {
    /// At or below the low end.
    first: f32,
    /// At or above the high end.
    last: f32,
    levels: Vec<u8>,
}

impl Whole {
    /// Of a stretch; `None` where a table would be too long.
    pub(crate) fn of(stretch: &Stretch) -> Option<Self> {
        let (first, last) = (stretch.low.floor(), stretch.high.ceil());
        let fits = first.abs() < END_MAX && last.abs() < END_MAX && last - first <= WIDTH_MAX;
        if !fits {
            return None;
        }
        let steps = std::iter::successors(Some(first), |value| Some(value + 1.0));
        let values: Vec<f32> = steps.take_while(|value| *value <= last).map(single).collect();
        let mut levels = vec![0; values.len()];
        stretch.cut(&values, &mut levels);
        Some(Self { first: single(first), last: single(last), levels })
    }

    /// The same as [`Stretch::cut`].
    pub(crate) fn cut(&self, stretch: &Stretch, values: &[f32], levels: &mut [u8]) {
        Arch::new().dispatch(Cut { whole: self, stretch, values, levels });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number of less than 24 bits")]
fn single(whole: f64) -> f32 {
    whole as f32
}

/// Values to be cut, in the instructions that the processor has; the same in all of them.
struct Cut<'a> {
    whole: &'a Whole,
    stretch: &'a Stretch,
    values: &'a [f32],
    levels: &'a mut [u8],
}

impl WithSimd for Cut<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { whole, stretch, values, levels } = self;
        let (levels, levels_left) = levels.as_chunks_mut::<TOGETHER>();
        let (values, values_left) = values.as_chunks::<TOGETHER>();
        for (levels, values) in levels.iter_mut().zip(values) {
            match places(whole, values) {
                Some(places) => look_up(&whole.levels, &places, levels),
                None => stretch.cut(values, levels),
            }
        }
        stretch.cut(values_left, levels_left);
    }
}

/// Where values stand in a table; `None` where one of them is not whole.
#[inline(always)]
#[expect(clippy::float_cmp, reason = "both are exact, or the value is not whole")]
fn places(whole: &Whole, values: &[f32; TOGETHER]) -> Option<[u32; TOGETHER]> {
    let mut places = [0; TOGETHER];
    let mut is_whole = true;
    for (place, value) in places.iter_mut().zip(values) {
        // What is no number is at the low end.
        let above = if *value > whole.first { *value } else { whole.first };
        let from_first = (if above < whole.last { above } else { whole.last }) - whole.first;
        let shifted = from_first + SHIFT;
        is_whole &= shifted - SHIFT == from_first;
        *place = shifted.to_bits() & LOWEST;
    }
    is_whole.then_some(places)
}

#[inline(always)]
fn look_up(table: &[u8], places: &[u32; TOGETHER], levels: &mut [u8; TOGETHER]) {
    for (level, place) in levels.iter_mut().zip(places) {
        let at = usize::try_from(*place).unwrap_or_default();
        *level = table.get(at).copied().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(stretch: &Stretch, values: &[f32]) -> [Vec<u8>; 2] {
        let mut divided = vec![0; values.len()];
        stretch.cut(values, &mut divided);
        let mut looked_up = vec![1; values.len()];
        Whole::of(stretch).unwrap().cut(stretch, values, &mut looked_up);
        [divided, looked_up]
    }

    fn stretch(low: f64, high: f64) -> Stretch {
        Stretch { low, high, least: low, span: high - low }
    }

    #[test]
    fn every_whole_value_of_a_window_has_its_level() {
        for (low, high) in [(-400.0, 500.0), (-160.0, 240.0), (0.0, 1.0), (-2.5, 3.25)] {
            let values: Vec<f32> = (-1200_i16..1200).map(f32::from).collect();
            let [divided, looked_up] = both(&stretch(low, high), &values);
            assert_eq!(divided, looked_up, "{low} to {high}");
        }
    }

    #[test]
    fn odd_values_have_theirs() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e30, 0.5, 1e-30, 8_388_609.0];
        let values: Vec<f32> = odd.into_iter().cycle().take(3 * TOGETHER + 5).collect();
        let [divided, looked_up] = both(&stretch(-10.0, 10.0), &values);
        assert_eq!(divided, looked_up);
    }

    #[test]
    fn a_stretch_too_wide_has_no_table() {
        assert_eq!(Whole::of(&stretch(0.0, WIDTH_MAX + 1.0)), None);
        assert_eq!(Whole::of(&stretch(2.0 * END_MAX, 2.0 * END_MAX + 10.0)), None);
        assert_eq!(Whole::of(&stretch(f64::NEG_INFINITY, 0.0)), None);
        assert_eq!(Whole::of(&stretch(f64::NAN, 0.0)), None);
    }

    proptest! {
        #[test]
        fn what_is_looked_up_is_what_is_divided(
            low in -3000.0..3000.0_f64,
            width in 0.01..5000.0_f64,
            part in 0.1..1.0_f64,
            values in prop::collection::vec(-5000.0..5000.0_f32, 0..200),
            whole in any::<bool>(),
        ) {
            let values: Vec<f32> =
                values.into_iter().map(|value| if whole { value.round() } else { value }).collect();
            let stretch = Stretch { low, high: low + width, least: low + width * (1.0 - part) / 2.0, span: width * part };
            let [divided, looked_up] = both(&stretch, &values);
            prop_assert_eq!(divided, looked_up);
        }
    }
}
