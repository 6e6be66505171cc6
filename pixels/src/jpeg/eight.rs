//! 8-bit frames of the DCT processes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jpeg_decoder::{ColorTransform, Decoder, Error};

use super::broken;
use crate::encapsulated::DecodeFault;
use crate::format::Format;

/// The samples of a frame whose size was checked.
pub(super) fn decode(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    // The decoder meets bytes from the network; a panic in it is one broken image, not a broken node.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_stream(stream, format)));
    let bytes = decoded.unwrap_or_else(|_| Err(broken("the decoder failed")))?;
    if bytes.len() != format.frame_samples() {
        let why = format!("{} bytes for {} samples", bytes.len(), format.frame_samples());
        return Err(broken(&why));
    }
    Ok(match format.sample_bytes() {
        1 => bytes,
        2 => bytes.iter().flat_map(|byte| [*byte, 0]).collect(),
        _ => bytes.iter().flat_map(|byte| [*byte, 0, 0, 0]).collect(),
    })
}

fn decode_stream(stream: &[u8], format: &Format) -> Result<Vec<u8>, DecodeFault> {
    let mut decoder = Decoder::new(stream);
    // The header says what components are, not the decoder's rules for files: "RGB" leaves them as they are.
    if format.samples == 3 {
        decoder.set_color_transform(ColorTransform::RGB);
    }
    decoder.set_max_decoding_buffer_size(format.frame_samples());
    decoder.decode().map_err(told)
}

fn told(error: Error) -> DecodeFault {
    match error {
        Error::Unsupported(feature) => DecodeFault::Unsupported(format!("{feature:?}")),
        Error::Format(_) | Error::Io(_) | Error::Internal(_) => broken(&error.to_string()),
    }
}
