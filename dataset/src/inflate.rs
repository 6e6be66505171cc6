//! Deflated data sets (PS3.5 §A.5), inflated only as far as asked.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// The first `bytes_max` bytes of what `deflated` holds, and whether the stream came to its end within them.
///
/// Deflated data that is cut or broken gives what could be inflated before that; the end is then not reached.
pub(crate) fn inflate(deflated: &[u8], bytes_max: usize) -> (Vec<u8>, bool) {
    let mut inflated = Vec::new();
    let mut decoder = DeflateDecoder::new(deflated);
    let wanted = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let ended = decoder.by_ref().take(wanted).read_to_end(&mut inflated).is_ok();
    (inflated, ended && is_at_end(&mut decoder))
}

fn is_at_end(decoder: &mut DeflateDecoder<&[u8]>) -> bool {
    matches!(decoder.read(&mut [0]), Ok(0))
}
