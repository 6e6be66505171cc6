//! JPEG Baseline, 8-bit Extended and Lossless (PS3.5 §8.2.1): one component or three.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jpeg_decoder::{ColorTransform, Decoder, Error};

use crate::encapsulated::DecodeFault;
use crate::format::Format;
use crate::frame::Samples;

/// The samples of a frame.
pub(crate) fn decode(stream: &[u8], format: &Format) -> Result<Samples, DecodeFault> {
    // The decoder meets bytes from the network; a panic in it is one broken image, not a broken node.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_stream(stream, format)));
    let bytes =
        decoded.unwrap_or_else(|_| Err(DecodeFault::Broken("JPEG: the decoder failed".into())))?;
    Ok(Samples {
        bytes: widened(bytes, format)?,
        photometric: format.photometric.full_resolution(),
    })
}

fn decode_stream(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let mut decoder = Decoder::new(stream);
    // The header says what components are, not the decoder's rules for files: "RGB" leaves them as they are.
    if format.samples == 3 {
        decoder.set_color_transform(ColorTransform::RGB);
    }
    // Two bytes are what the widest sample takes.
    decoder.set_max_decoding_buffer_size(format.frame_samples().saturating_mul(2));
    decoder.read_info().map_err(told)?;
    let info = decoder.info().ok_or_else(|| DecodeFault::Broken("JPEG: no frame header".into()))?;
    let (columns, rows) = (usize::from(info.width), usize::from(info.height));
    if (columns, rows) != (format.columns, format.rows) {
        let why = format!(
            "JPEG: {columns} x {rows} pixels, {} x {} in the header",
            format.columns, format.rows
        );
        return Err(DecodeFault::Broken(why));
    }
    decoder.decode().map_err(told)
}

fn told(error: Error) -> DecodeFault {
    match error {
        Error::Unsupported(feature) => DecodeFault::Unsupported(format!("{feature:?}")),
        Error::Format(_) | Error::Io(_) | Error::Internal(_) => {
            DecodeFault::Broken(format!("JPEG: {error}"))
        }
    }
}

/// One or two bytes a sample, in the order of this machine, become those of the header.
fn widened(bytes: Vec<u8>, format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let count = format.frame_samples();
    let samples: Vec<u16> = if bytes.len() == count {
        bytes.into_iter().map(u16::from).collect()
    } else if bytes.len() == 2 * count {
        bytes.as_chunks::<2>().0.iter().map(|word| u16::from_ne_bytes(*word)).collect()
    } else {
        let why = format!("JPEG: {} bytes for {count} samples", bytes.len());
        return Err(DecodeFault::Broken(why));
    };
    let low = |sample: &u16| sample.to_le_bytes()[0];
    Ok(match format.sample_bytes() {
        1 => samples.iter().map(low).collect(),
        2 => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
        _ => samples.iter().flat_map(|sample| u32::from(*sample).to_le_bytes()).collect(),
    })
}
