//! Colour frames as RGB, whatever they were stored as.

use dataset::tags;
use domain::{Tag, Unsuitable, UnsuitableCode};
use series::SourceInstance;

use crate::format::{Format, Number};
use crate::frame::Pixels;
use crate::lut::Lut;
use crate::photometric::Photometric;

/// A colour frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColorFrame {
    /// Columns (0028,0011).
    pub columns: usize,
    /// Rows (0028,0010).
    pub rows: usize,
    /// Red, green and blue, 0 to 255, row by row: 3 × columns × rows bytes.
    pub rgb: Vec<u8>,
}

/// Checks, without reading pixels, that [`color_frame`] knows how to decode an instance.
///
/// # Errors
/// Those of [`check_decodable`](crate::check_decodable), with [`UnsuitableCode::PixelFormat`] for grey instead of colour.
pub fn check_color(instance: &SourceInstance) -> Result<(), Unsuitable> {
    Source::of(instance).map(|_| ())
}

/// Reads a frame of colour, `frame_index` from 0, as 8-bit RGB.
///
/// Samples of more than 8 bits are scaled by their Bits Stored, entries of palettes by the bits of their descriptor.
/// No ICC profile is applied.
///
/// # Errors
/// Those of [`check_color`]; [`UnsuitableCode::TruncatedPixels`] and [`UnsuitableCode::Unreadable`] as in
/// [`slice_values`](crate::slice_values).
pub fn color_frame(
    instance: &SourceInstance,
    frame_index: usize,
) -> Result<ColorFrame, Unsuitable> {
    let Source { pixels, palette } = Source::of(instance)?;
    let samples = pixels.samples(frame_index)?;
    let Format { columns, rows, .. } = pixels.format;
    let rgb = match &palette {
        Some(luts) => painted(&samples.bytes, &pixels.format, luts),
        None => {
            let levels = levels(samples.bytes, &pixels.format);
            to_rgb(levels, samples.photometric)
        }
    };
    Ok(ColorFrame { columns, rows, rgb })
}

/// A colour image: its pixels, and the three tables of a PALETTE COLOR image.
struct Source<'a> {
    pixels: Pixels<'a>,
    palette: Option<[Lut; 3]>,
}

impl<'a> Source<'a> {
    fn of(instance: &'a SourceInstance) -> Result<Self, Unsuitable> {
        let pixels = Pixels::of(instance)?;
        let photometric = pixels.format.photometric;
        let fault = |detail: &str| pixels.fault(UnsuitableCode::PixelFormat, detail);
        if photometric.is_grey() {
            return Err(fault(&format!("{photometric}: not colour")));
        }
        let palette = if photometric == Photometric::PaletteColor {
            let luts = palette(instance, pixels.format.number);
            Some(luts.map_err(|reason| fault(&format!("palette: {reason}")))?)
        } else if pixels.format.number == Number::Unsigned {
            None
        } else {
            return Err(fault(&format!("{photometric} of {:?} numbers", pixels.format.number)));
        };
        Ok(Self { pixels, palette })
    }
}

/// For each colour: descriptor, data, segmented data.
const PALETTE: [[Tag; 3]; 3] = [
    [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
];

/// The tables of red, green and blue (PS3.3 §C.7.9).
fn palette(instance: &SourceInstance, number: Number) -> Result<[Lut; 3], String> {
    let header = &instance.header;
    let [red, green, blue] = PALETTE.map(|[descriptor, data, segmented]| {
        if header.contains(data) {
            Lut::read(header, [descriptor, data], number)
        } else {
            Lut::read_segmented(header, [descriptor, segmented], number)
        }
    });
    Ok([red?, green?, blue?])
}

fn painted(samples: &[u8], format: &Format, luts: &[Lut; 3]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(format.frame_pixels() * 3);
    for sample in samples.chunks_exact(format.sample_bytes()) {
        let stored = format.stored(number(sample));
        rgb.extend(luts.each_ref().map(|lut| lut.level(stored)));
    }
    rgb
}

/// A sample of at most 4 bytes.
fn number(sample: &[u8]) -> u32 {
    sample.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Samples in 8 bits.
fn levels(samples: Vec<u8>, format: &Format) -> Vec<u8> {
    if format.sample_bytes() == 1 && format.bits_stored == 8 {
        return samples;
    }
    let (_, largest) = format.stored_range();
    let level = |stored: i64| u8::try_from((stored * 255 + largest / 2) / largest).unwrap_or(255);
    let samples = samples.chunks_exact(format.sample_bytes());
    samples.map(|sample| level(format.stored(number(sample)))).collect()
}

/// Samples of three colours to RGB, in place (PS3.3 §C.7.6.3.1.2).
fn to_rgb(mut levels: Vec<u8>, photometric: Photometric) -> Vec<u8> {
    let convert = match photometric {
        Photometric::YbrFull | Photometric::YbrFull422 => full_to_rgb,
        Photometric::YbrPartial422 => partial_to_rgb,
        // Decoders have turned these into RGB; grey and palettes do not come here.
        Photometric::Rgb
        | Photometric::YbrIct
        | Photometric::YbrRct
        | Photometric::Xyb
        | Photometric::Monochrome1
        | Photometric::Monochrome2
        | Photometric::PaletteColor => return levels,
    };
    for pixel in levels.as_chunks_mut::<3>().0 {
        *pixel = convert(*pixel);
    }
    levels
}

/// 1 in the fixed-point numbers of colour conversion.
const ONE: i32 = 1 << 16;

/// R = Y + 1.402 (Cr − 128), G = Y − 0.344136 (Cb − 128) − 0.714136 (Cr − 128), B = Y + 1.772 (Cb − 128).
fn full_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) * ONE, i32::from(cb) - 128, i32::from(cr) - 128);
    [y + 91_881 * cr, y - 22_553 * cb - 46_802 * cr, y + 116_130 * cb].map(level)
}

/// The same from Y of 16 to 235 and colour differences of 16 to 240.
fn partial_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = ((i32::from(y) - 16) * 76_309, i32::from(cb) - 128, i32::from(cr) - 128);
    [y + 104_597 * cr, y - 25_675 * cb - 53_279 * cr, y + 132_201 * cb].map(level)
}

/// The nearest level.
fn level(fixed: i32) -> u8 {
    let [level, ..] = ((fixed + ONE / 2) / ONE).clamp(0, 255).to_le_bytes();
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luminance_and_colour_differences() {
        for level in [0, 1, 128, 255] {
            assert_eq!(full_to_rgb([level, 128, 128]), [level; 3]);
        }
        // Pure red, green and blue.
        assert_eq!(full_to_rgb([76, 85, 255]), [254, 0, 0]);
        assert_eq!(full_to_rgb([150, 44, 21]), [0, 255, 1]);
        assert_eq!(full_to_rgb([29, 255, 107]), [0, 0, 254]);
        assert_eq!(partial_to_rgb([16, 128, 128]), [0; 3]);
        assert_eq!(partial_to_rgb([235, 128, 128]), [255; 3]);
    }
}
