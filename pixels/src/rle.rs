//! RLE Lossless (PS3.5 Annex G).

use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::Samples;

/// Number of segments and 15 offsets, 32 bits each.
const HEADER_BYTES: usize = 64;

/// The samples of a frame.
///
/// Each byte of each sample of a pixel has its own segment, all of the first sample in front, the most significant byte first (PS3.5 §G.2).
pub(crate) fn decode(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    let broken = |why: &str| DecodeFault::Broken(format!("RLE: {why}"));
    let header = stream.get(..HEADER_BYTES).ok_or_else(|| broken("no header"))?;
    let words: Vec<usize> =
        header.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word) as usize).collect();
    let (count, offsets) = words.split_first().ok_or_else(|| broken("no header"))?;
    let (width, pixel_bytes) = (format.sample_bytes(), format.sample_bytes() * format.samples);
    if *count != pixel_bytes {
        return Err(broken(&format!("{count} segments for pixels of {pixel_bytes} bytes")));
    }
    let mut bytes = vec![0; format.frame_bytes()];
    for segment in 0..*count {
        let end = if segment + 1 < *count { offsets[segment + 1] } else { stream.len() };
        let packed =
            stream.get(offsets[segment]..end).ok_or_else(|| broken("offsets out of order"))?;
        let significance = width - 1 - segment % width;
        let place = segment / width * width + significance;
        let places = bytes.iter_mut().skip(place).step_by(pixel_bytes);
        let found = unpack(packed, places);
        if found < format.frame_pixels() {
            return Err(DecodeFault::Short(found * pixel_bytes));
        }
    }
    // Each pixel has its own colour in segments, whatever the uncompressed form has.
    let photometric = format.photometric.full_resolution();
    Ok(Samples { bytes, photometric })
}

/// PackBits into `places`; returns how many were filled. What is left of the input is padding.
fn unpack<'a>(mut bytes: &[u8], mut places: impl Iterator<Item = &'a mut u8>) -> usize {
    let mut found = 0;
    let mut put = |byte: u8| places.next().map(|place| *place = byte).is_some();
    while let Some((control, rest)) = bytes.split_first() {
        bytes = rest;
        let control = control.cast_signed();
        if control >= 0 {
            let count = (usize::from(control.unsigned_abs()) + 1).min(bytes.len());
            let (literal, rest) = bytes.split_at(count);
            bytes = rest;
            found += literal.iter().take_while(|byte| put(**byte)).count();
        } else if control != i8::MIN {
            let Some((byte, rest)) = bytes.split_first() else { break };
            bytes = rest;
            let count = usize::from(control.unsigned_abs()) + 1;
            found += (0..count).take_while(|_| put(*byte)).count();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(bytes: &[u8], places: usize) -> (Vec<u8>, usize) {
        let mut out = vec![0; places];
        let found = unpack(bytes, out.iter_mut());
        (out, found)
    }

    #[test]
    fn literal_and_repeated_runs() {
        assert_eq!(unpacked(&[2, 7, 8, 9, 0xFE, 5], 6), (vec![7, 8, 9, 5, 5, 5], 6));
        // 0x80 does nothing, padding is ignored, a cut run gives what is there.
        assert_eq!(unpacked(&[0x80, 0, 1, 0], 1), (vec![1], 1));
        assert_eq!(unpacked(&[5, 1, 2], 4), (vec![1, 2, 0, 0], 2));
        assert_eq!(unpacked(&[0xFF], 2), (vec![0, 0], 0));
    }
}
