//! Bytes of fragments as they lie in the read buffer, with the headers between them left out.

use std::ops::Range;

/// Bytes in a few pieces, none of them empty but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces<'a> {
    first: &'a [u8],
    /// The others are ranges of this.
    buffer: &'a [u8],
    others: &'a [Range<usize>],
}

impl<'a> Pieces<'a> {
    /// `first`, and `others` in `buffer`.
    pub(crate) fn new(first: &'a [u8], buffer: &'a [u8], others: &'a [Range<usize>]) -> Self {
        Self { first, buffer, others }
    }

    /// The pieces, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (buffer, others) = (self.buffer, self.others);
        let other = |range: &Range<usize>| buffer.get(range.clone()).unwrap_or_default();
        std::iter::once(self.first).chain(others.iter().map(other))
    }

    /// No bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.others.is_empty()
    }

    /// Bytes of all pieces together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().map(<[u8]>::len).sum()
    }

    /// All bytes as one piece.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.iter().flatten().copied().collect()
    }
}

impl<'a> From<&'a [u8]> for Pieces<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(bytes, &[], &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_in_their_order() {
        let buffer = b"..ab--cd";
        let others = [2..4, 6..8];
        let pieces = Pieces::new(b"x", buffer, &others);
        assert_eq!(pieces.to_vec(), b"xabcd");
        assert_eq!((pieces.len(), pieces.is_empty()), (5, false));
        assert!(Pieces::from(b"".as_slice()).is_empty());
    }
}
