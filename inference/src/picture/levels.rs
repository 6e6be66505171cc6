//! Decoded values to levels, 0 to 255.

use super::whole::Whole;
use crate::percentile::Ranks;

/// A slice as decoded, before any turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source<'a> {
    /// Modality values, rows × columns, row by row.
    Grey(&'a [f32]),
    /// Red, green and blue, 3 × rows × columns bytes, row by row.
    Color(&'a [u8]),
}

/// How intensities of grey become 0 … 255. Colour is there already.
///
/// What is no number counts as the low end, and so does everything below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Between two values: CT, in HU.
    Window {
        /// Becomes 0.
        low: f64,
        /// Becomes 255.
        high: f64,
    },
    /// Between two percentiles of the positive values of this slice: generation 1, but for CT.
    OfSlice,
    /// Between two percentiles of the positive values of the series, from [`series_range`]: generation 2, but for CT.
    Range {
        /// Becomes 0.
        low: f64,
        /// Becomes 255.
        high: f64,
    },
    /// They are 0 to 255, and stay as they are.
    EightBit,
}

/// The percentiles between which intensities that have no unit are stretched.
const PERCENTILES: [f64; 2] = [0.5, 99.5];

/// The range of intensities of a series for [`Scale::Range`]: the 0.5th and the 99.5th percentile of its positive finite values, with
/// linear interpolation as NumPy has it; `(0, 0)` where none is positive.
///
/// That is how the published preparation of the training volumes of generation 2 has it. `values` are those of all slices.
pub(crate) fn series_range(values: &[f32]) -> (f64, f64) {
    let mut ranks = Ranks::of(values, |value| value > 0.0 && value < f32::INFINITY);
    let [low, high] = PERCENTILES.map(|percent| ranks.percentile(percent));
    (low, high)
}

/// By which values a slice is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// By the least and the greatest that it has when clipped: generation 1.
    OfSlice,
    /// By those of its scale: generation 2.
    OfScale,
}

/// One channel of a source, as levels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels<'a> {
    channel: Channel<'a>,
    mapping: Mapping,
}

#[derive(Debug, Clone, Copy)]
enum Channel<'a> {
    Grey(&'a [f32]),
    /// Every third byte, from the first one on.
    Color(&'a [u8]),
}

/// From values to levels.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mapping {
    /// They are levels.
    AsTheyAre,
    /// All values are the same.
    Flat,
    Stretched(Stretch),
}

impl<'a> Source<'a> {
    /// Asserts that there are as many pixels as were said.
    ///
    /// # Panics
    /// When there are not.
    pub(crate) fn check(&self, pixels: usize) {
        let (values, wanted) = match self {
            Self::Grey(values) => (values.len(), pixels),
            Self::Color(bytes) => (bytes.len(), 3 * pixels),
        };
        assert_eq!(values, wanted, "as many values as the framing has pixels");
    }

    /// The levels of a channel: 0 of grey; 0, 1 and 2 of colour.
    pub(crate) fn levels(&self, channel: usize, scale: &Scale, ends: Ends) -> Levels<'a> {
        match *self {
            Self::Grey(values) => {
                Levels { channel: Channel::Grey(values), mapping: Mapping::of(values, scale, ends) }
            }
            Self::Color(bytes) => {
                let channel = Channel::Color(bytes.get(channel..).unwrap_or_default());
                Levels { channel, mapping: Mapping::AsTheyAre }
            }
        }
    }
}

impl Mapping {
    fn of(values: &[f32], scale: &Scale, ends: Ends) -> Self {
        let (low, high) = match *scale {
            Scale::EightBit => return Self::AsTheyAre,
            Scale::OfSlice => series_range(values),
            Scale::Window { low, high } | Scale::Range { low, high } => (low, high),
        };
        let (least, greatest) = match ends {
            Ends::OfScale => (low, high),
            Ends::OfSlice => {
                let (least, greatest) = extent(values, low);
                (clip(least, low, high), clip(greatest, low, high))
            }
        };
        let span = greatest - least;
        if span > 0.0 && span < f64::INFINITY {
            Self::Stretched(Stretch { low, high, least, span })
        } else {
            Self::Flat
        }
    }
}

/// Values clipped to `low` … `high`; then `least` becomes 0 and `least + span` 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) least: f64,
    pub(crate) span: f64,
}

impl Stretch {
    /// The level of a value.
    fn of(&self, value: f32) -> f64 {
        (clip(f64::from(value), self.low, self.high) - self.least) / self.span * 255.0
    }

    /// Levels of values, decimals cut off.
    pub(crate) fn cut(&self, values: &[f32], levels: &mut [u8]) {
        levels.iter_mut().zip(values).for_each(|(level, value)| *level = cut(self.of(*value)));
    }
}

/// A value between two ends; what is no number is at the low one.
fn clip(value: f64, low: f64, high: f64) -> f64 {
    let above = if value > low { value } else { low };
    if above < high { above } else { high }
}

/// The least and the greatest value; what is no number is at `low`.
fn extent(values: &[f32], low: f64) -> (f64, f64) {
    let (least, greatest, odd) = values.iter().fold(
        (f32::INFINITY, f32::NEG_INFINITY, false),
        |(least, greatest, odd), value| {
            let least = if *value < least { *value } else { least };
            let greatest = if *value > greatest { *value } else { greatest };
            (least, greatest, odd | value.is_nan())
        },
    );
    let (least, greatest) = (f64::from(least), f64::from(greatest));
    if odd { (least.min(low), greatest.max(low)) } else { (least, greatest) }
}

impl Levels<'_> {
    /// Puts the levels of row `j`, 0 to 255, into `row`, which has as many values as the source has columns.
    pub(crate) fn row(&self, j: usize, row: &mut [f32]) {
        let pixels = j * row.len()..(j + 1) * row.len();
        match (self.channel, self.mapping) {
            (_, Mapping::Flat) => row.fill(0.0),
            (Channel::Grey(values), Mapping::AsTheyAre) => {
                row.iter_mut()
                    .zip(&values[pixels])
                    .for_each(|(level, value)| *level = bound(*value));
            }
            (Channel::Grey(values), Mapping::Stretched(stretch)) => {
                let stretched = values[pixels].iter().map(|value| stretch.of(*value));
                row.iter_mut().zip(stretched).for_each(|(level, value)| *level = single(value));
            }
            (Channel::Color(bytes), _) => {
                let own = bytes[3 * pixels.start..].iter().step_by(3);
                row.iter_mut().zip(own).for_each(|(level, byte)| *level = f32::from(*byte));
            }
        }
    }

    /// The same as bytes, decimals cut off. `whole` is [`Self::whole`], which is made once for all rows.
    pub(crate) fn row_cut(&self, j: usize, row: &mut [u8], whole: Option<&Whole>) {
        let pixels = j * row.len()..(j + 1) * row.len();
        match (self.channel, self.mapping) {
            (_, Mapping::Flat) => row.fill(0),
            (Channel::Grey(values), Mapping::AsTheyAre) => {
                let values = values[pixels].iter().map(|value| cut(f64::from(*value)));
                row.iter_mut().zip(values).for_each(|(level, value)| *level = value);
            }
            (Channel::Grey(values), Mapping::Stretched(stretch)) => match whole {
                Some(whole) => whole.cut(&stretch, &values[pixels], row),
                None => stretch.cut(&values[pixels], row),
            },
            (Channel::Color(bytes), _) => {
                let own = bytes[3 * pixels.start..].iter().step_by(3);
                row.iter_mut().zip(own).for_each(|(level, byte)| *level = *byte);
            }
        }
    }

    /// The levels of whole values, where these are few.
    pub(crate) fn whole(&self) -> Option<Whole> {
        match self.mapping {
            Mapping::Stretched(stretch) => Whole::of(&stretch),
            Mapping::AsTheyAre | Mapping::Flat => None,
        }
    }

    /// The least and the greatest level of the channel.
    pub(crate) fn extent(&self) -> [u8; 2] {
        match (self.channel, self.mapping) {
            (_, Mapping::Flat) => [0, 0],
            (_, Mapping::Stretched(_)) => [0, 255],
            (Channel::Grey(values), Mapping::AsTheyAre) => {
                let (least, greatest) = extent(values, 0.0);
                [cut(least), cut(greatest)]
            }
            (Channel::Color(bytes), Mapping::AsTheyAre) => {
                let own = bytes.iter().step_by(3);
                own.fold([255, 0], |[least, greatest], byte| {
                    [least.min(*byte), greatest.max(*byte)]
                })
            }
        }
    }
}

/// A level that was given as such.
fn bound(value: f32) -> f32 {
    let above = if value > 0.0 { value } else { 0.0 };
    if above < 255.0 { above } else { 255.0 }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "0 to 255, of which a single has more than enough digits"
)]
fn single(level: f64) -> f32 {
    level as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; NaN becomes 0"
)]
fn cut(level: f64) -> u8 {
    level as u8
}
