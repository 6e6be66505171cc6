//! What the samples of a frame are (Image Pixel module, PS3.3 §C.7.6.3).

use dataset::{DataSet, tags};
use domain::{Tag, Unsuitable, UnsuitableCode};

use crate::photometric::Photometric;

/// Most samples of a frame, of all colours: 16,384 × 16,384 grey pixels. A larger one is too-large.
const FRAME_SAMPLES_MAX: usize = 1 << 28;

/// Samples of one frame as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// 1 to 65,535.
    pub(crate) columns: usize,
    /// 1 to 65,535.
    pub(crate) rows: usize,
    /// Samples per Pixel: 1 or 3.
    pub(crate) samples: usize,
    pub(crate) photometric: Photometric,
    pub(crate) planes: Planes,
    /// Whole numbers: 1, 8, 16 or 32. Floating point: 32 or 64.
    pub(crate) bits_allocated: u32,
    /// 1 to `bits_allocated`.
    pub(crate) bits_stored: u32,
    /// `bits_stored` − 1 to `bits_allocated` − 1.
    pub(crate) high_bit: u32,
    pub(crate) number: Number,
}

/// How a sample is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// Pixel Representation 0.
    Unsigned,
    /// Pixel Representation 1: two's complement.
    Signed,
    /// Float or Double Float Pixel Data.
    Float,
}

/// Planar Configuration (0028,0006).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planes {
    /// 0: the samples of a pixel stand together.
    Interleaved,
    /// 1: all of one colour, then all of the next.
    Separate,
}

impl Format {
    /// Reads the Image Pixel module for the element `pixels`.
    ///
    /// # Errors
    /// [`UnsuitableCode::PixelFormat`] for what no frame of ours can be and for bits that contradict each other;
    /// [`UnsuitableCode::TooLarge`].
    pub(crate) fn read(header: &DataSet, pixels: Tag) -> Result<Self, Unsuitable> {
        let photometric = photometric(header)?;
        let (columns, rows) = (extent(header, tags::COLUMNS)?, extent(header, tags::ROWS)?);
        if columns == 0 || rows == 0 {
            return Err(fault(format!("{columns} columns, {rows} rows")));
        }
        let samples = photometric.samples();
        if columns * rows * samples > FRAME_SAMPLES_MAX {
            let detail = format!("{columns} x {rows} pixels of {samples} samples");
            return Err(Unsuitable::new(UnsuitableCode::TooLarge, detail));
        }
        let planes = planes(header)?;
        let bits = Bits::read(header, pixels)?;
        let Bits { bits_allocated, bits_stored, high_bit, number } = bits;
        Ok(Self {
            columns,
            rows,
            samples,
            photometric,
            planes,
            bits_allocated,
            bits_stored,
            high_bit,
            number,
        })
    }

    /// Checks what only uncompressed frames have to keep to: colours that pairs of columns share (PS3.3 Table C.7-11c).
    pub(crate) fn check_native(&self) -> Result<(), Unsuitable> {
        if !self.photometric.is_subsampled() || self.columns.is_multiple_of(2) {
            return Ok(());
        }
        Err(fault(format!("{} with {} columns", self.photometric, self.columns)))
    }

    /// Pixels of a frame.
    pub(crate) fn frame_pixels(&self) -> usize {
        self.columns * self.rows
    }

    /// Samples of a frame, all colours.
    pub(crate) fn frame_samples(&self) -> usize {
        self.frame_pixels() * self.samples
    }

    /// Bytes of a sample once decoded: 1, 2, 4 or 8. A single bit takes a byte.
    pub(crate) fn sample_bytes(&self) -> usize {
        match self.bits_allocated {
            1 | 8 => 1,
            16 => 2,
            32 => 4,
            _ => 8,
        }
    }

    /// Bytes of a decoded frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.frame_samples() * self.sample_bytes()
    }

    /// Bits of an uncompressed frame in the file.
    pub(crate) fn native_bits(&self) -> u64 {
        let samples = if self.photometric.is_subsampled() {
            self.frame_pixels() * 2
        } else {
            self.frame_samples()
        };
        samples as u64 * u64::from(self.bits_allocated)
    }

    /// A stored value from the bits of its sample: mask, shift, sign.
    pub(crate) fn stored(&self, sample: u32) -> i64 {
        let top = u64::from(sample) << (63 - self.high_bit);
        match self.number {
            Number::Unsigned | Number::Float => (top >> (64 - self.bits_stored)).cast_signed(),
            Number::Signed => top.cast_signed() >> (64 - self.bits_stored),
        }
    }

    /// `value` of each stored value of samples of at most 16 bits, in loops that compilers turn into vector instructions.
    pub(crate) fn each_short<T>(
        &self,
        samples: impl Iterator<Item = u16>,
        value: impl Fn(i32) -> T,
    ) -> Vec<T> {
        let (left, right) = (31 - self.high_bit, 32 - self.bits_stored);
        match self.number {
            Number::Unsigned | Number::Float => samples
                .map(|sample| value((u32::from(sample) << left >> right).cast_signed()))
                .collect(),
            Number::Signed => samples
                .map(|sample| value((u32::from(sample) << left).cast_signed() >> right))
                .collect(),
        }
    }

    /// Whether a sample is its stored value, without bits to mask.
    pub(crate) fn is_whole(&self) -> bool {
        self.bits_stored == self.bits_allocated && self.bits_allocated > 1
    }

    /// Smallest and largest stored value.
    pub(crate) fn stored_range(&self) -> (i64, i64) {
        match self.number {
            Number::Unsigned | Number::Float => (0, (1_i64 << self.bits_stored) - 1),
            Number::Signed => {
                (-(1_i64 << (self.bits_stored - 1)), (1_i64 << (self.bits_stored - 1)) - 1)
            }
        }
    }
}

fn fault(detail: String) -> Unsuitable {
    Unsuitable::new(UnsuitableCode::PixelFormat, detail)
}

fn number(header: &DataSet, tag: Tag) -> Result<Option<u32>, Unsuitable> {
    let number = header.checked_int(tag).map_err(|error| fault(error.to_string()))?;
    number.map(|n| u32::try_from(n).map_err(|_| fault(format!("{tag} is {n}")))).transpose()
}

/// Rows or Columns; 0 when absent.
fn extent(header: &DataSet, tag: Tag) -> Result<usize, Unsuitable> {
    let extent = number(header, tag)?.unwrap_or(0);
    u16::try_from(extent).map(usize::from).map_err(|_| fault(format!("{tag} is {extent}")))
}

fn photometric(header: &DataSet) -> Result<Photometric, Unsuitable> {
    let samples = number(header, tags::SAMPLES_PER_PIXEL)?.unwrap_or(1);
    let term = header.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    match Photometric::parse(term.trim()) {
        Some(photometric) if photometric.samples() == samples as usize => Ok(photometric),
        Some(_) | None => Err(fault(format!(
            "Photometric Interpretation '{}', {samples} samples a pixel",
            term.trim()
        ))),
    }
}

fn planes(header: &DataSet) -> Result<Planes, Unsuitable> {
    match number(header, tags::PLANAR_CONFIGURATION)?.unwrap_or(0) {
        0 => Ok(Planes::Interleaved),
        1 => Ok(Planes::Separate),
        other => Err(fault(format!("Planar Configuration is {other}"))),
    }
}

/// The bits of a sample.
struct Bits {
    bits_allocated: u32,
    bits_stored: u32,
    high_bit: u32,
    number: Number,
}

impl Bits {
    fn read(header: &DataSet, pixels: Tag) -> Result<Self, Unsuitable> {
        if pixels != tags::PIXEL_DATA {
            return Ok(Self::float(pixels));
        }
        let bits_allocated = number(header, tags::BITS_ALLOCATED)?.unwrap_or(0);
        if ![1, 8, 16, 32].contains(&bits_allocated) {
            return Err(fault(format!("Bits Allocated is {bits_allocated}, not 1, 8, 16 or 32")));
        }
        let bits_stored = number(header, tags::BITS_STORED)?.unwrap_or(bits_allocated);
        let high_bit =
            number(header, tags::HIGH_BIT)?.unwrap_or_else(|| bits_stored.saturating_sub(1));
        if bits_stored == 0 || high_bit >= bits_allocated || high_bit + 1 < bits_stored {
            let bits =
                format!("{bits_allocated} allocated, {bits_stored} stored, high bit {high_bit}");
            return Err(fault(format!("bits contradict each other: {bits}")));
        }
        let number = match number(header, tags::PIXEL_REPRESENTATION)?.unwrap_or(0) {
            0 => Number::Unsigned,
            1 => Number::Signed,
            other => return Err(fault(format!("Pixel Representation is {other}"))),
        };
        Ok(Self { bits_allocated, bits_stored, high_bit, number })
    }

    /// The other attributes do not apply to floating point (PS3.3 §C.7.6.24, §C.7.6.25).
    fn float(pixels: Tag) -> Self {
        let bits = if pixels == tags::DOUBLE_FLOAT_PIXEL_DATA { 64 } else { 32 };
        Self { bits_allocated: bits, bits_stored: bits, high_bit: bits - 1, number: Number::Float }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bits_allocated: u32, bits_stored: u32, high_bit: u32, number: Number) -> Format {
        Format {
            columns: 1,
            rows: 1,
            samples: 1,
            photometric: Photometric::Monochrome2,
            planes: Planes::Interleaved,
            bits_allocated,
            bits_stored,
            high_bit,
            number,
        }
    }

    #[test]
    fn samples_are_masked_shifted_and_signed() {
        assert_eq!(format(16, 12, 11, Number::Unsigned).stored(0xF123), 0x123);
        assert_eq!(format(16, 12, 11, Number::Signed).stored(0x0FFF), -1);
        assert_eq!(format(16, 12, 15, Number::Unsigned).stored(0x123F), 0x123);
        assert_eq!(format(16, 16, 15, Number::Signed).stored(0x8000), -32_768);
        assert_eq!(format(8, 8, 7, Number::Unsigned).stored(0xFF), 255);
        assert_eq!(format(32, 32, 31, Number::Signed).stored(0xFFFF_FFFE), -2);
        assert_eq!(format(32, 32, 31, Number::Unsigned).stored(0xFFFF_FFFE), 0xFFFF_FFFE);
        assert_eq!(format(16, 1, 0, Number::Signed).stored(1), -1);
        assert_eq!(format(1, 1, 0, Number::Unsigned).stored(1), 1);
        for (stored, high) in [(1, 0), (7, 9), (12, 11), (12, 15), (16, 15)] {
            for number in [Number::Unsigned, Number::Signed] {
                let format = format(16, stored, high, number);
                let short = format.each_short(0..=u16::MAX, i64::from);
                let stored = (0..=u16::MAX).map(|sample| format.stored(sample.into()));
                assert!(stored.eq(short), "{format:?}");
            }
        }
    }

    #[test]
    fn ranges_are_those_of_the_bits() {
        assert_eq!(format(16, 12, 11, Number::Unsigned).stored_range(), (0, 4095));
        assert_eq!(format(16, 12, 11, Number::Signed).stored_range(), (-2048, 2047));
        assert_eq!(format(32, 32, 31, Number::Signed).stored_range().0, i64::from(i32::MIN));
    }
}
