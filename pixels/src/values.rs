//! Samples to modality values (PS3.3 §C.11.1), as 32-bit floating point numbers.

use dataset::{DataSet, tags};
use domain::{Unsuitable, UnsuitableCode};

use crate::format::{Format, Number};
use crate::lut::Lut;
use crate::photometric::Photometric;

/// The way from a stored value to a modality value.
#[derive(Debug)]
pub(crate) enum Modality {
    /// `slope` × stored + `intercept`.
    Linear { slope: f64, intercept: f64 },
    /// A Modality LUT (0028,3000).
    Lut(Lut),
}

impl Modality {
    /// The transformation of a frame: the LUT where there is one, else slope and intercept.
    pub(crate) fn read(
        header: &DataSet,
        format: &Format,
        slope: f64,
        intercept: f64,
    ) -> Result<Self, Unsuitable> {
        let Some(item) = header.items(tags::MODALITY_LUT_SEQUENCE).first() else {
            return Ok(Self::Linear { slope, intercept });
        };
        Lut::read(item, [tags::LUT_DESCRIPTOR, tags::LUT_DATA], format.number)
            .map(Self::Lut)
            .map_err(|fault| {
                Unsuitable::new(UnsuitableCode::PixelFormat, format!("Modality LUT: {fault}"))
            })
    }
}

/// Which end of the values is bright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// MONOCHROME1.
    LowIsBright,
    /// MONOCHROME2.
    HighIsBright,
}

/// Whether MONOCHROME1 values are turned round: not where they have a physical unit.
pub(crate) fn polarity(header: &DataSet, format: &Format) -> Polarity {
    let text = |tag| header.text(tag).map(|text| text.trim().to_owned()).unwrap_or_default();
    let is_physical = ["CT", "PT", "NM"].contains(&text(tags::MODALITY).as_str())
        || !["", "US"].contains(&text(tags::RESCALE_TYPE).as_str());
    let has_range = format.number != Number::Float;
    if format.photometric == Photometric::Monochrome1 && has_range && !is_physical {
        Polarity::LowIsBright
    } else {
        Polarity::HighIsBright
    }
}

/// The values of a frame, from its samples in little-endian order.
pub(crate) fn values(
    samples: &[u8],
    format: &Format,
    modality: &Modality,
    polarity: Polarity,
) -> Vec<f32> {
    if format.number == Number::Float {
        return float_values(samples, format, modality);
    }
    match modality {
        Modality::Linear { slope, intercept } => {
            let (low, high) = format.stored_range();
            // Turned round: low + high − stored, which is another line.
            let (slope, intercept) = match polarity {
                Polarity::HighIsBright => (*slope, *intercept),
                Polarity::LowIsBright => (-slope, slope * to_f64(low + high) + intercept),
            };
            linear(samples, format, slope, intercept)
        }
        Modality::Lut(lut) => each(samples, format, |stored| {
            let value = lut.value(stored);
            f32::from(match polarity {
                Polarity::HighIsBright => value,
                Polarity::LowIsBright => lut.largest().saturating_sub(value),
            })
        }),
    }
}

/// Floating point pixels have no stored range to turn round in, and no LUT.
fn float_values(samples: &[u8], format: &Format, modality: &Modality) -> Vec<f32> {
    let (slope, intercept) = match modality {
        Modality::Linear { slope, intercept } => (*slope, *intercept),
        Modality::Lut(_) => (1.0, 0.0),
    };
    let value = |stored: f64| to_f32(slope * stored + intercept);
    if format.sample_bytes() == 4 {
        let floats = samples.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes);
        floats.map(|stored| value(stored.into())).collect()
    } else {
        let doubles = samples.as_chunks::<8>().0.iter().copied().map(f64::from_le_bytes);
        doubles.map(value).collect()
    }
}

/// `slope` × stored + `intercept`. Samples of up to 16 bits have a loop that compilers turn into vector instructions.
fn linear(samples: &[u8], format: &Format, slope: f64, intercept: f64) -> Vec<f32> {
    match offset(slope, intercept) {
        Some(offset) if format.sample_bytes() <= 2 => {
            short(samples, format, |stored| whole(stored + offset))
        }
        Some(_) | None => scaled(samples, format, slope, intercept),
    }
}

/// The intercept, where no more is done to a stored value than to add it, and both are whole: so it is with most CT. The sum of such
/// numbers is exact in any arithmetic, and whole numbers are added several at a time.
fn offset(slope: f64, intercept: f64) -> Option<i32> {
    let is_one = (slope - 1.0).abs() < f64::MIN_POSITIVE;
    let is_whole = intercept.abs() < OFFSET_MAX && intercept.fract().abs() < f64::MIN_POSITIVE;
    (is_one && is_whole).then(|| to_i32(intercept))
}

/// Below this, the sum with a value of 16 bits has no more than the 24 bits that a single keeps.
const OFFSET_MAX: f64 = 8_388_608.0;

fn scaled(samples: &[u8], format: &Format, slope: f64, intercept: f64) -> Vec<f32> {
    if format.sample_bytes() <= 2 {
        return short(samples, format, |stored| to_f32(slope * f64::from(stored) + intercept));
    }
    each(samples, format, |stored| to_f32(slope * to_f64(stored) + intercept))
}

/// Applies `value` to each stored value of samples of at most 16 bits.
fn short(samples: &[u8], format: &Format, value: impl Fn(i32) -> f32) -> Vec<f32> {
    match format.sample_bytes() {
        1 => format.each_short(samples.iter().map(|byte| u16::from(*byte)), value),
        _ => {
            let words = samples.as_chunks::<2>().0.iter();
            format.each_short(words.map(|word| u16::from_le_bytes(*word)), value)
        }
    }
}

/// Applies `value` to each stored value. One loop for each width, so that the compiler sees it.
fn each(samples: &[u8], format: &Format, value: impl Fn(i64) -> f32) -> Vec<f32> {
    match format.sample_bytes() {
        1 => samples.iter().map(|byte| value(format.stored(u32::from(*byte)))).collect(),
        2 => {
            let words = samples.as_chunks::<2>().0.iter();
            words.map(|word| value(format.stored(u16::from_le_bytes(*word).into()))).collect()
        }
        _ => {
            let words = samples.as_chunks::<4>().0.iter();
            words.map(|word| value(format.stored(u32::from_le_bytes(*word)))).collect()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "stored values have at most 33 bits")]
pub(crate) fn to_f64(stored: i64) -> f64 {
    stored as f64
}

#[expect(clippy::cast_precision_loss, reason = "at most 24 bits")]
fn whole(value: i32) -> f32 {
    value as f32
}

#[expect(clippy::cast_possible_truncation, reason = "whole and small")]
fn to_i32(value: f64) -> i32 {
    value as i32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "models take 32 bits; the nearest one is meant"
)]
fn to_f32(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Planes;

    fn format(bits_stored: u32, number: Number) -> Format {
        Format {
            columns: 256,
            rows: 256,
            samples: 1,
            photometric: Photometric::Monochrome2,
            planes: Planes::Interleaved,
            bits_allocated: 16,
            bits_stored,
            high_bit: bits_stored - 1,
            number,
        }
    }

    #[test]
    fn whole_intercepts_give_the_numbers_of_any_other() {
        let samples: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for format in [format(12, Number::Unsigned), format(16, Number::Signed)] {
            for intercept in [0.0, -0.0, -1024.0, 8_388_607.0, -8_388_607.0] {
                assert!(offset(1.0, intercept).is_some());
                let wanted = scaled(&samples, &format, 1.0, intercept);
                assert_eq!(linear(&samples, &format, 1.0, intercept), wanted);
            }
        }
        assert_eq!(offset(1.0, 8_388_608.0), None);
        assert_eq!(offset(1.0, 0.5), None);
        assert_eq!(offset(2.0, 0.0), None);
        assert_eq!(offset(1.0, f64::NAN), None);
    }
}
