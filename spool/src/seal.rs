//! The seal in the preamble of an instance's file: how long the file is, once it is whole.
//!
//! A new instance is moved to its place before it is synced, so that one flush makes both durable. After loss of power a file may
//! then lie in its place and be cut. It was never acknowledged; the seal tells it from those that were. The preamble
//! (PS3.10 §7.1) is for such uses, and every reader skips it.

/// What the preamble begins with.
const NAME: &[u8; 16] = b"parsenode length";
/// Bytes of a seal: the name, and the length of the file.
pub(crate) const SEAL_BYTES: usize = 24;

/// The seal of a file that still grows. It is there from the first byte on: no earlier state of the preamble may pass for whole.
pub(crate) fn unfinished() -> [u8; SEAL_BYTES] {
    whole(0)
}

/// The seal of a whole file of so many bytes.
pub(crate) fn whole(file_bytes: u64) -> [u8; SEAL_BYTES] {
    let mut seal = [0; SEAL_BYTES];
    for (to, from) in seal.iter_mut().zip(NAME.iter().chain(&file_bytes.to_le_bytes())) {
        *to = *from;
    }
    seal
}

/// Whether a file of so many bytes that begins with `preamble` is all that was written of it. Files without a seal were synced
/// before they were moved; one that ends within its seal is not whole, and neither is an empty one.
pub(crate) fn is_whole(preamble: &[u8], file_bytes: u64) -> bool {
    let is_sealed = preamble.starts_with(NAME) || NAME.starts_with(preamble);
    !is_sealed || preamble.get(..SEAL_BYTES) == Some(&whole(file_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_length_that_was_sealed_is_whole() {
        assert!(is_whole(&whole(530_660), 530_660));
        for other in [0, 24, 530_659, 530_661] {
            assert!(!is_whole(&whole(530_660), other), "{other}");
        }
        assert!(!is_whole(&unfinished(), 530_660));
        assert!(!is_whole(&whole(530_660)[..20], 530_660));
        assert!(is_whole(&[0; 128], 530_660));
        assert!(is_whole(b"II*\0", 4));
        assert!(!is_whole(&whole(8)[..8], 8));
        assert!(!is_whole(b"", 0));
    }
}
