//! Stored values of a frame, as another decoder would give them.

use domain::Unsuitable;
use series::SourceInstance;

use crate::format::{Format, Number};
use crate::frame::Pixels;
use crate::photometric::Photometric;

/// One frame, before any transformation of modality, colour or display.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFrame {
    /// Columns (0028,0011).
    pub columns: usize,
    /// Rows (0028,0010).
    pub rows: usize,
    /// 1 or 3.
    pub samples_per_pixel: usize,
    /// What the values mean. Not always what the header says: JPEG 2000 decoders turn `YBR_RCT` and `YBR_ICT` into RGB,
    /// and `YBR_FULL_422` is `YBR_FULL` once each pixel has its own colour.
    pub photometric: Photometric,
    /// Row by row, the samples of a pixel together.
    pub values: StoredValues,
}

/// Stored values, masked to Bits Stored and extended by Pixel Representation, as wide as Bits Allocated says.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredValues {
    /// 1 and 8 bits.
    U8(Vec<u8>),
    /// 8 bits, signed.
    I8(Vec<i8>),
    /// 16 bits.
    U16(Vec<u16>),
    /// 16 bits, signed.
    I16(Vec<i16>),
    /// 32 bits.
    U32(Vec<u32>),
    /// 32 bits, signed.
    I32(Vec<i32>),
    /// Float Pixel Data.
    F32(Vec<f32>),
    /// Double Float Pixel Data.
    F64(Vec<f64>),
}

/// Reads one frame, grey or colour; `frame_index` counts from 0.
///
/// # Errors
/// Those of [`check_decodable`](crate::check_decodable), except that colour is welcome;
/// [`TruncatedPixels`](domain::UnsuitableCode::TruncatedPixels) and [`Unreadable`](domain::UnsuitableCode::Unreadable).
pub fn stored_frame(
    instance: &SourceInstance,
    frame_index: usize,
) -> Result<StoredFrame, Unsuitable> {
    let pixels = Pixels::of(instance)?;
    let format = &pixels.format;
    let samples = pixels.samples(frame_index)?;
    Ok(StoredFrame {
        columns: format.columns,
        rows: format.rows,
        samples_per_pixel: format.samples,
        photometric: samples.photometric,
        values: StoredValues::of(samples.bytes, format),
    })
}

impl StoredValues {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a stored value fits the bits that were allocated for it"
    )]
    fn of(samples: Vec<u8>, format: &Format) -> Self {
        if format.number == Number::Unsigned && format.sample_bytes() == 1 && format.is_whole() {
            return Self::U8(samples);
        }
        let bytes = samples.iter().map(|byte| u16::from(*byte));
        let words = samples.as_chunks::<2>().0.iter().map(|word| u16::from_le_bytes(*word));
        let longs = || samples.as_chunks::<4>().0.iter();
        let stored = || longs().map(|long| format.stored(u32::from_le_bytes(*long)));
        match (format.number, format.sample_bytes()) {
            (Number::Unsigned, 1) => Self::U8(format.each_short(bytes, |value| value as u8)),
            (Number::Signed, 1) => Self::I8(format.each_short(bytes, |value| value as i8)),
            (Number::Unsigned, 2) => Self::U16(format.each_short(words, |value| value as u16)),
            (Number::Signed, 2) => Self::I16(format.each_short(words, |value| value as i16)),
            (Number::Unsigned, _) => Self::U32(stored().map(|value| value as u32).collect()),
            (Number::Signed, _) => Self::I32(stored().map(|value| value as i32).collect()),
            (Number::Float, 4) => Self::F32(longs().copied().map(f32::from_le_bytes).collect()),
            (Number::Float, _) => {
                let doubles = samples.as_chunks::<8>().0.iter();
                Self::F64(doubles.copied().map(f64::from_le_bytes).collect())
            }
        }
    }
}
