//! What the samples of a pixel mean (Photometric Interpretation, PS3.3 §C.7.6.3.1.2).

use std::fmt;

/// Photometric Interpretation (0028,0004), as far as frames of it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Photometric {
    /// Grey, low values are shown bright.
    Monochrome1,
    /// Grey, high values are shown bright.
    Monochrome2,
    /// An index into three look-up tables.
    PaletteColor,
    /// Red, green, blue.
    Rgb,
    /// Luminance and two colour differences, full range.
    YbrFull,
    /// The same, with one pair of colour differences for two neighbours in a row.
    YbrFull422,
    /// As `YbrFull422` with the range of ITU-R BT.601 (retired).
    YbrPartial422,
    /// The irreversible transformation of JPEG 2000.
    YbrIct,
    /// The reversible transformation of JPEG 2000.
    YbrRct,
    /// The colour space in which JPEG XL keeps lossy images; decoders give RGB.
    Xyb,
}

impl Photometric {
    const ALL: [Self; 10] = [
        Self::Monochrome1,
        Self::Monochrome2,
        Self::PaletteColor,
        Self::Rgb,
        Self::YbrFull,
        Self::YbrFull422,
        Self::YbrPartial422,
        Self::YbrIct,
        Self::YbrRct,
        Self::Xyb,
    ];

    /// Reads a Defined Term; `None` for retired and unknown ones.
    #[must_use]
    pub fn parse(term: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|photometric| photometric.as_str() == term)
    }

    /// The Defined Term.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monochrome1 => "MONOCHROME1",
            Self::Monochrome2 => "MONOCHROME2",
            Self::PaletteColor => "PALETTE COLOR",
            Self::Rgb => "RGB",
            Self::YbrFull => "YBR_FULL",
            Self::YbrFull422 => "YBR_FULL_422",
            Self::YbrPartial422 => "YBR_PARTIAL_422",
            Self::YbrIct => "YBR_ICT",
            Self::YbrRct => "YBR_RCT",
            Self::Xyb => "XYB",
        }
    }

    /// Samples per Pixel that it goes with.
    #[must_use]
    pub fn samples(self) -> usize {
        if self.is_grey() || self == Self::PaletteColor { 1 } else { 3 }
    }

    /// MONOCHROME1 or MONOCHROME2.
    #[must_use]
    pub fn is_grey(self) -> bool {
        matches!(self, Self::Monochrome1 | Self::Monochrome2)
    }

    /// What it is once each pixel has colour differences of its own.
    pub(crate) fn full_resolution(self) -> Self {
        if self == Self::YbrFull422 { Self::YbrFull } else { self }
    }

    /// Whether uncompressed frames have two samples a pixel instead of three.
    pub(crate) fn is_subsampled(self) -> bool {
        matches!(self, Self::YbrFull422 | Self::YbrPartial422)
    }
}

impl fmt::Display for Photometric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_back() {
        for photometric in Photometric::ALL {
            assert_eq!(Photometric::parse(photometric.as_str()), Some(photometric));
        }
        assert_eq!(Photometric::parse("ARGB"), None);
        assert_eq!(Photometric::parse("rgb"), None);
    }
}
