//! JPEG 2000 and High-Throughput JPEG 2000 (PS3.5 §8.2.4): one component or three.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jpeg2k::{DecodeParameters, Image, ImageComponent};

use crate::encapsulated::DecodeFault;
use crate::format::{Format, Number};
use crate::frame::{Samples, put};
use crate::photometric::Photometric;

/// SOC and SIZ markers: every code stream begins with them (ISO/IEC 15444-1 §A.5).
const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
/// Tiles of an image: a frame of 16,384 x 16,384 pixels in tiles of 256 x 256. The decoder allocates for each before it finds one.
const TILES_MAX: usize = 4096;
/// Some senders leave the boxes of a JP2 file around the code stream; it begins within this many bytes.
const BOXES_BYTES_MAX: usize = 4096;

/// The samples of a frame. The decoder undoes the colour transformation of the code stream.
pub(crate) fn decode(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    let size = Size::read(stream).ok_or_else(|| broken("no code stream"))?;
    // Before the decoder allocates anything.
    if size.columns != format.columns
        || size.rows != format.rows
        || size.components != format.samples
    {
        return Err(broken(&format!(
            "{} x {} pixels of {} components, {} x {} of {} in the header",
            size.columns, size.rows, size.components, format.columns, format.rows, format.samples
        )));
    }
    if size.tiles > TILES_MAX {
        let why = format!("{} tiles, {TILES_MAX} are allowed", size.tiles);
        return Err(DecodeFault::Unsupported(why));
    }
    // What was checked is what is decoded: boxes may hold other code streams.
    let stream = stream.get(size.start..).unwrap_or_default();
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_stream(stream, format)));
    let bytes = decoded.unwrap_or_else(|_| Err(broken("the decoder failed")))?;
    let photometric = format.photometric;
    let transformed = matches!(photometric, Photometric::YbrIct | Photometric::YbrRct);
    let photometric = if transformed { Photometric::Rgb } else { photometric.full_resolution() };
    Ok(Samples { bytes, photometric })
}

fn broken(why: &str) -> DecodeFault {
    DecodeFault::Broken(format!("JPEG 2000: {why}"))
}

fn decode_stream(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let parameters = DecodeParameters::new().strict(true);
    let image =
        Image::from_bytes_with(stream, parameters).map_err(|error| broken(&error.to_string()))?;
    let components = image.components();
    let of_frame = |component: &ImageComponent| {
        (component.width() as usize, component.height() as usize) == (format.columns, format.rows)
    };
    if components.len() != format.samples || !components.iter().all(of_frame) {
        return Err(broken("a component of another size"));
    }
    let mut bytes = vec![0; format.frame_bytes()];
    for (color, component) in components.iter().enumerate() {
        let bits = component.precision();
        if bits == 0 || bits > format.bits_allocated {
            return Err(broken(&format!("{bits} bits, {} allocated", format.bits_allocated)));
        }
        let values = component.data().iter().copied();
        let signed = format.number == Number::Signed;
        // Two's complement at any width: masking and sign come later, from the header.
        match (component.is_signed(), signed) {
            (true, false) => put(&mut bytes, color, format, values.map(|v| unsigned(v, bits))),
            (false, true) => put(&mut bytes, color, format, values.map(|v| extended(v, bits))),
            _ => put(&mut bytes, color, format, values),
        }
    }
    Ok(bytes)
}

/// The low `bits` of a value, 1 to 32 of them, for a header that says unsigned where the code stream says signed.
fn unsigned(value: i32, bits: u32) -> i32 {
    (value.cast_unsigned() << (32 - bits) >> (32 - bits)).cast_signed()
}

/// The same where the header says signed: the highest of them is the sign.
fn extended(value: i32, bits: u32) -> i32 {
    value << (32 - bits) >> (32 - bits)
}

/// Image and tile size, from the SIZ marker segment (ISO/IEC 15444-1 §A.5.1).
#[derive(Debug, PartialEq)]
struct Size {
    columns: usize,
    rows: usize,
    components: usize,
    tiles: usize,
    /// Where the code stream begins.
    start: usize,
}

impl Size {
    /// Of the first code stream in `stream`.
    fn read(stream: &[u8]) -> Option<Self> {
        let head = &stream[..stream.len().min(BOXES_BYTES_MAX)];
        let start = head.windows(START.len()).position(|window| window == START)?;
        // Behind the marker: Lsiz and Rsiz of 2 bytes, then Xsiz, Ysiz, XOsiz, YOsiz, XTsiz, YTsiz, XTOsiz, YTOsiz of 4, Csiz of 2.
        let segment = stream.get(start + START.len()..)?;
        let number = |at: usize| -> Option<usize> {
            let bytes = segment.get(at..at + 4)?.first_chunk()?;
            usize::try_from(u32::from_be_bytes(*bytes)).ok()
        };
        let tiles = |end: usize, first: usize, size: usize| {
            let (covered, size) = (end.checked_sub(first)?, Some(size).filter(|size| *size > 0)?);
            Some(covered.div_ceil(size))
        };
        let across = tiles(number(4)?, number(28)?, number(20)?)?;
        let down = tiles(number(8)?, number(32)?, number(24)?)?;
        let components = segment.get(36..38)?.first_chunk()?;
        Some(Self {
            columns: number(4)?.checked_sub(number(12)?)?,
            rows: number(8)?.checked_sub(number(16)?)?,
            components: usize::from(u16::from_be_bytes(*components)),
            tiles: across.saturating_mul(down),
            start,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_read_from_the_siz_segment() {
        let mut stream = START.to_vec();
        stream.extend([0, 41, 0, 0]);
        for number in [110_u32, 70, 10, 20, 100, 50, 0, 1] {
            stream.extend(number.to_be_bytes());
        }
        stream.extend([0, 1, 15, 1, 1]);
        let size = |start| Some(Size { columns: 100, rows: 50, components: 1, tiles: 4, start });
        assert_eq!(Size::read(&stream), size(0));
        assert_eq!(Size::read(&[&[0; 85][..], &stream].concat()), size(85));
        let mut no_tile = stream.clone();
        no_tile[24..28].fill(0);
        assert_eq!(Size::read(&no_tile), None);
        assert_eq!(Size::read(&stream[..30]), None);
        assert_eq!(Size::read(&[]), None);
    }
}
