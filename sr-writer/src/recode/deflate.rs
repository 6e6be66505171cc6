//! Deflate (RFC 1951) without header and checksum, as PS3.5 §A.5 and §A.4.13 want it.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write as _;

/// Masks are long runs: the fastest level makes them nearly as small as the best one.
const LEVEL: u32 = 2;

/// The bytes deflated, padded to an even length.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        DeflateEncoder::new(Vec::with_capacity(bytes.len() / 16), Compression::new(LEVEL));
    // Writing to a Vec cannot fail; what it left out would not inflate and so not go unseen.
    let finished = encoder.write_all(bytes).and_then(|()| encoder.finish());
    let mut deflated = finished.unwrap_or_default();
    if !deflated.len().is_multiple_of(2) {
        deflated.push(0);
    }
    deflated
}
