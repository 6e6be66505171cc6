//! Writing P-DATA-TF and the release PDUs (PS3.8 §9.3.5 to §9.3.7).

/// What a fragment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FragmentKind {
    /// A command set.
    Command,
    /// A data set.
    DataSet,
}

/// Bytes of a P-DATA-TF before its fragment: PDU header, Item-length, context, control.
const HEADER_BYTES: usize = 12;
/// Bytes of the PDU-length that are no fragment.
const OVERHEAD_BYTES: u32 = 6;
/// Longest P-DATA-TF that we send to a peer that takes any.
const PDU_BYTES_MAX: u32 = 131_072;

/// About how many bytes of a long message are written at once.
const STRETCH_BYTES: usize = 262_144;

/// Writes messages on one presentation context as P-DATA-TF, one fragment a PDU.
#[derive(Debug, Clone, Copy)]
pub struct PDataWriter {
    context_id: u8,
    fragment_bytes: usize,
}

impl PDataWriter {
    /// For a peer that takes P-DATA-TF of `pdu_length_max` bytes; 0 is no limit.
    ///
    /// Fragments are of even length (PS3.8 Annex E), at least two bytes.
    #[must_use]
    pub fn new(context_id: u8, pdu_length_max: u32) -> Self {
        let agreed =
            if pdu_length_max == 0 { PDU_BYTES_MAX } else { pdu_length_max.min(PDU_BYTES_MAX) };
        let fragment = (agreed.saturating_sub(OVERHEAD_BYTES) & !1).max(2);
        Self { context_id, fragment_bytes: usize::try_from(fragment).unwrap_or(2) }
    }

    /// Longest fragment, in bytes.
    #[must_use]
    pub fn fragment_bytes(&self) -> usize {
        self.fragment_bytes
    }

    /// Appends a whole command or data set.
    pub fn put(&self, out: &mut Vec<u8>, kind: FragmentKind, bytes: &[u8]) {
        let mut pieces = bytes.chunks(self.fragment_bytes).peekable();
        if pieces.peek().is_none() {
            self.put_fragment(out, kind, &[], true);
        }
        while let Some(piece) = pieces.next() {
            self.put_fragment(out, kind, piece, pieces.peek().is_none());
        }
    }

    /// The PDUs of a whole command or data set, at a time as many as make about 256 KiB: a peer that takes fragments of a few
    /// bytes makes many times its length of a long one.
    pub fn stretches(&self, kind: FragmentKind, bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let mut pieces = bytes.chunks(self.fragment_bytes).peekable();
        let mut is_done = false;
        std::iter::from_fn(move || {
            let mut out = Vec::new();
            while !is_done && out.len() < STRETCH_BYTES {
                let piece = pieces.next().unwrap_or_default();
                is_done = pieces.peek().is_none();
                self.put_fragment(&mut out, kind, piece, is_done);
            }
            (!out.is_empty()).then_some(out)
        })
    }

    /// Appends one fragment of at most [`PDataWriter::fragment_bytes`].
    fn put_fragment(&self, out: &mut Vec<u8>, kind: FragmentKind, piece: &[u8], is_last: bool) {
        out.extend_from_slice(&self.header(kind, piece.len(), is_last));
        out.extend_from_slice(piece);
    }

    /// The bytes before a fragment of `length` bytes, for those who write the fragment themselves.
    #[must_use]
    pub fn header(&self, kind: FragmentKind, length: usize, is_last: bool) -> [u8; HEADER_BYTES] {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let [a, b, c, d] = length.saturating_add(OVERHEAD_BYTES).to_be_bytes();
        let [e, f, g, h] = length.saturating_add(2).to_be_bytes();
        let kind = match kind {
            FragmentKind::Command => 1,
            FragmentKind::DataSet => 0,
        };
        let control = kind | if is_last { 2 } else { 0 };
        [4, 0, a, b, c, d, e, f, g, h, self.context_id, control]
    }
}

/// A-RELEASE-RQ.
#[must_use]
pub fn encode_release_request() -> [u8; 10] {
    [5, 0, 0, 0, 0, 4, 0, 0, 0, 0]
}

/// A-RELEASE-RP.
#[must_use]
pub fn encode_release_response() -> [u8; 10] {
    [6, 0, 0, 0, 0, 4, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_two_pdus() {
        let mut out = Vec::new();
        PDataWriter::new(3, 10).put(&mut out, FragmentKind::Command, b"abcdef");
        let first = b"\x04\0\0\0\0\x0A\0\0\0\x06\x03\x01abcd";
        let second = b"\x04\0\0\0\0\x08\0\0\0\x04\x03\x03ef";
        assert_eq!(out, [first.as_slice(), second].concat());
    }

    #[test]
    fn an_empty_data_set_is_one_empty_last_fragment() {
        let mut out = Vec::new();
        PDataWriter::new(1, 0).put(&mut out, FragmentKind::DataSet, b"");
        assert_eq!(out, b"\x04\0\0\0\0\x06\0\0\0\x02\x01\x02");
    }

    #[test]
    fn stretches_are_the_whole_and_bounded() {
        for (pdu_length_max, length) in
            [(8, 0), (8, 1), (8, 100_001), (0, 600_000), (16_384, 262_080), (0, 262_132)]
        {
            let (writer, bytes) = (PDataWriter::new(1, pdu_length_max), vec![7; length]);
            let mut whole = Vec::new();
            writer.put(&mut whole, FragmentKind::DataSet, &bytes);
            let stretches: Vec<_> = writer.stretches(FragmentKind::DataSet, &bytes).collect();
            assert!(stretches.iter().all(|stretch| stretch.len() < 2 * STRETCH_BYTES));
            assert_eq!(stretches.concat(), whole, "{pdu_length_max} {length}");
        }
    }

    #[test]
    fn fragments_are_even_and_bounded_whatever_the_peer_says() {
        assert_eq!(PDataWriter::new(1, 0).fragment_bytes(), 131_066);
        assert_eq!(PDataWriter::new(1, u32::MAX).fragment_bytes(), 131_066);
        assert_eq!(PDataWriter::new(1, 16_383).fragment_bytes(), 16_376);
        assert_eq!(PDataWriter::new(1, 3).fragment_bytes(), 2);
    }
}
