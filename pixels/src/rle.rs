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
    let mut plane = Vec::with_capacity(format.frame_pixels());
    for segment in 0..*count {
        let end = if segment + 1 < *count { offsets[segment + 1] } else { stream.len() };
        let packed =
            stream.get(offsets[segment]..end).ok_or_else(|| broken("offsets out of order"))?;
        plane.clear();
        unpack(packed, &mut plane, format.frame_pixels());
        if plane.len() < format.frame_pixels() {
            return Err(DecodeFault::Short(plane.len() * pixel_bytes));
        }
        if pixel_bytes == 1 {
            return Ok(Samples { bytes: plane, photometric: format.photometric });
        }
        let significance = width - 1 - segment % width;
        let place = segment / width * width + significance;
        let places = bytes.iter_mut().skip(place).step_by(pixel_bytes);
        places.zip(&plane).for_each(|(place, byte)| *place = *byte);
    }
    // Each pixel has its own colour in segments, whatever the uncompressed form has.
    let photometric = format.photometric.full_resolution();
    Ok(Samples { bytes, photometric })
}

/// `PackBits` to `plane`, at most `most` bytes. What is left of the input is padding.
fn unpack(mut bytes: &[u8], plane: &mut Vec<u8>, most: usize) {
    while plane.len() < most
        && let Some((control, rest)) = bytes.split_first()
    {
        bytes = rest;
        let control = control.cast_signed();
        let room = most - plane.len();
        let count = usize::from(control.unsigned_abs()) + 1;
        if control >= 0 {
            let (literal, rest) = bytes.split_at(count.min(bytes.len()));
            plane.extend_from_slice(&literal[..literal.len().min(room)]);
            bytes = rest;
        } else if control != i8::MIN {
            let Some((byte, rest)) = bytes.split_first() else { break };
            plane.resize(plane.len() + count.min(room), *byte);
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(bytes: &[u8], most: usize) -> Vec<u8> {
        let mut plane = Vec::new();
        unpack(bytes, &mut plane, most);
        plane
    }

    #[test]
    fn literal_and_repeated_runs() {
        assert_eq!(unpacked(&[2, 7, 8, 9, 0xFE, 5], 6), [7, 8, 9, 5, 5, 5]);
        // 0x80 does nothing, padding is ignored, a cut run gives what is there.
        assert_eq!(unpacked(&[0x80, 0, 1, 0], 1), [1]);
        assert_eq!(unpacked(&[5, 1, 2], 4), [1, 2]);
        assert_eq!(unpacked(&[0xFF], 2), []);
        // No run goes beyond the frame.
        assert_eq!(unpacked(&[2, 7, 8, 9], 2), [7, 8]);
        assert_eq!(unpacked(&[0xFE, 5], 2), [5, 5]);
    }
}
