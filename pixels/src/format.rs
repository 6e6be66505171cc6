//! What the samples of a frame are (Image Pixel module, PS3.3 §C.7.6.3).

use dataset::{DataSet, tags};
use domain::{Unsuitable, UnsuitableCode};

/// Bits of one sample as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    /// 1, 2 or 4: Bits Allocated is 8, 16 or 32.
    pub(crate) sample_bytes: usize,
    /// 1 to 8 × `sample_bytes`.
    pub(crate) bits_stored: u32,
    /// `bits_stored` − 1 to 8 × `sample_bytes` − 1.
    pub(crate) high_bit: u32,
    pub(crate) sign: Sign,
    pub(crate) polarity: Polarity,
}

/// Pixel Representation (0028,0103).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Unsigned,
    /// Two's complement.
    Signed,
}

/// Photometric Interpretation (0028,0004) of a grey image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// MONOCHROME1.
    LowIsBright,
    /// MONOCHROME2.
    HighIsBright,
}

impl Format {
    /// Reads the Image Pixel module of a grey image.
    ///
    /// # Errors
    /// [`UnsuitableCode::PixelFormat`] for colour, for 1 or 64 bits a sample and for bits that contradict each other.
    pub(crate) fn read(header: &DataSet) -> Result<Self, Unsuitable> {
        let fault = |detail: String| Unsuitable::new(UnsuitableCode::PixelFormat, detail);
        let number = |tag| {
            header.int(tag).map(|n| u32::try_from(n).map_err(|_| fault(format!("{tag} is {n}"))))
        };
        let samples = number(tags::SAMPLES_PER_PIXEL).transpose()?.unwrap_or(1);
        let photometric = header.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
        let polarity = match photometric.trim() {
            "MONOCHROME1" if samples == 1 => Polarity::LowIsBright,
            "MONOCHROME2" if samples == 1 => Polarity::HighIsBright,
            other => return Err(fault(format!("{samples} samples a pixel, {other}: not grey"))),
        };
        let allocated = number(tags::BITS_ALLOCATED).transpose()?.unwrap_or(0);
        let sample_bytes = match allocated {
            8 => 1,
            16 => 2,
            32 => 4,
            other => return Err(fault(format!("Bits Allocated is {other}, not 8, 16 or 32"))),
        };
        let bits_stored = number(tags::BITS_STORED).transpose()?.unwrap_or(allocated);
        let high_bit =
            number(tags::HIGH_BIT).transpose()?.unwrap_or_else(|| bits_stored.saturating_sub(1));
        if bits_stored == 0 || high_bit >= allocated || high_bit + 1 < bits_stored {
            let bits = format!("{allocated} allocated, {bits_stored} stored, high bit {high_bit}");
            return Err(fault(format!("bits contradict each other: {bits}")));
        }
        let sign = match number(tags::PIXEL_REPRESENTATION).transpose()?.unwrap_or(0) {
            0 => Sign::Unsigned,
            1 => Sign::Signed,
            other => return Err(fault(format!("Pixel Representation is {other}"))),
        };
        let extent = |tag| number(tag).transpose().map(|n| n.unwrap_or(0) as usize);
        let (columns, rows) = (extent(tags::COLUMNS)?, extent(tags::ROWS)?);
        if columns == 0 || rows == 0 {
            return Err(fault(format!("{columns} columns, {rows} rows")));
        }
        Ok(Self { columns, rows, sample_bytes, bits_stored, high_bit, sign, polarity })
    }

    /// Pixels of a frame.
    pub(crate) fn frame_pixels(&self) -> usize {
        self.columns * self.rows
    }

    /// Bytes of an uncompressed frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.frame_pixels() * self.sample_bytes
    }

    /// A stored value from the bits of its sample: mask, shift, sign.
    pub(crate) fn stored(&self, sample: u32) -> i64 {
        let top = u64::from(sample) << (63 - self.high_bit);
        match self.sign {
            Sign::Unsigned => (top >> (64 - self.bits_stored)).cast_signed(),
            Sign::Signed => top.cast_signed() >> (64 - self.bits_stored),
        }
    }

    /// Smallest and largest stored value.
    pub(crate) fn stored_range(&self) -> (i64, i64) {
        match self.sign {
            Sign::Unsigned => (0, (1_i64 << self.bits_stored) - 1),
            Sign::Signed => {
                (-(1_i64 << (self.bits_stored - 1)), (1_i64 << (self.bits_stored - 1)) - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(sample_bytes: usize, bits_stored: u32, high_bit: u32, sign: Sign) -> Format {
        let (columns, rows) = (1, 1);
        let polarity = Polarity::HighIsBright;
        Format { columns, rows, sample_bytes, bits_stored, high_bit, sign, polarity }
    }

    #[test]
    fn samples_are_masked_shifted_and_signed() {
        assert_eq!(format(2, 12, 11, Sign::Unsigned).stored(0xF123), 0x123);
        assert_eq!(format(2, 12, 11, Sign::Signed).stored(0x0FFF), -1);
        assert_eq!(format(2, 12, 15, Sign::Unsigned).stored(0x123F), 0x123);
        assert_eq!(format(2, 16, 15, Sign::Signed).stored(0x8000), -32_768);
        assert_eq!(format(1, 8, 7, Sign::Unsigned).stored(0xFF), 255);
        assert_eq!(format(4, 32, 31, Sign::Signed).stored(0xFFFF_FFFE), -2);
        assert_eq!(format(4, 32, 31, Sign::Unsigned).stored(0xFFFF_FFFE), 0xFFFF_FFFE);
        assert_eq!(format(2, 1, 0, Sign::Signed).stored(1), -1);
    }

    #[test]
    fn ranges_are_those_of_the_bits() {
        assert_eq!(format(2, 12, 11, Sign::Unsigned).stored_range(), (0, 4095));
        assert_eq!(format(2, 12, 11, Sign::Signed).stored_range(), (-2048, 2047));
        assert_eq!(format(4, 32, 31, Sign::Signed).stored_range().0, i64::from(i32::MIN));
    }
}
