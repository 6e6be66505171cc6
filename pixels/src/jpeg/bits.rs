//! Bits of a scan: a byte 00 behind FF means nothing (ITU-T T.81 §F.1.2.3).

use super::broken;
use crate::encapsulated::DecodeFault;

/// Reads bits from the highest down. Behind the end it gives zeros and remembers that it did.
pub(super) struct Bits<'a> {
    stream: &'a [u8],
    /// Where the bits behind the last marker begin.
    begin: usize,
    /// The byte that is loaded next.
    at: usize,
    /// Loaded bits, the next one highest.
    bits: u64,
    /// How many bits are loaded, zeros behind the end among them.
    count: u32,
    /// Zeros that were loaded because the stream had ended.
    made_up: u64,
}

impl<'a> Bits<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { stream, begin: 0, at: 0, bits: 0, count: 0, made_up: 0 }
    }

    /// Loads bits until there are at least 32.
    #[inline]
    pub(super) fn load(&mut self) {
        if self.count < 32 {
            self.fill();
        }
    }

    fn fill(&mut self) {
        let next = self.stream.get(self.at..self.at + 8).and_then(|bytes| bytes.first_chunk());
        if let Some(word) = next.map(|bytes| u64::from_be_bytes(*bytes)).filter(|w| !has_ff(*w)) {
            // Bits behind `count` are those that will be loaded again, so that they may stay.
            self.bits |= word >> self.count;
            let bytes = (64 - self.count) / 8;
            self.at += bytes as usize;
            self.count += 8 * bytes;
            return;
        }
        while self.count <= 56 {
            let byte = self.byte();
            self.bits |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    fn byte(&mut self) -> u8 {
        match self.stream.get(self.at..) {
            Some([0xFF, 0, ..]) => {
                self.at += 2;
                0xFF
            }
            Some([0xFF, ..] | []) | None => {
                self.made_up += 8;
                0
            }
            Some([byte, ..]) => {
                self.at += 1;
                *byte
            }
        }
    }

    /// The next 16 bits, which stay; 32 must be loaded.
    #[inline]
    pub(super) fn peek(&self) -> u16 {
        let [a, b, ..] = self.bits.to_be_bytes();
        u16::from_be_bytes([a, b])
    }

    /// Goes on by `count` bits, at most 16.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }

    /// The next `count` bits as a difference: at most 16, those that begin with 0 are negative (§F.2.2.1, table F.1).
    #[inline]
    pub(super) fn difference(&mut self, count: u32) -> i32 {
        if count == 0 {
            return 0;
        }
        let value = i32::from(self.peek() >> (16 - count));
        self.skip(count);
        if value < 1 << (count - 1) { value - (1 << count) + 1 } else { value }
    }

    /// Fails when more was read than there is.
    pub(super) fn check(&self) -> Result<(), DecodeFault> {
        if self.made_up > u64::from(self.count) {
            return Err(broken("the scan ends too early"));
        }
        Ok(())
    }

    /// Where to look for the marker behind the scan.
    pub(super) fn position(&self) -> usize {
        self.at.saturating_sub(self.count as usize / 4).max(self.begin)
    }

    /// Goes behind the next restart marker (§F.2.1.3.1).
    pub(super) fn restart(&mut self) -> Result<(), DecodeFault> {
        self.check()?;
        let from = self.position();
        let rest = self.stream.get(from..).unwrap_or_default();
        let is_marker = |pair: &[u8]| pair[0] == 0xFF && (0xD0..0xD8).contains(&pair[1]);
        let marker = rest.windows(2).position(is_marker);
        let marker = marker.ok_or_else(|| broken("no restart marker"))?;
        *self = Self::new(self.stream);
        self.begin = from + marker + 2;
        self.at = self.begin;
        Ok(())
    }
}

/// Whether one of eight bytes is FF.
#[inline]
pub(crate) fn has_ff(word: u64) -> bool {
    let inverted = !word;
    inverted.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bytes_are_left_out() {
        let stream = [0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD9];
        let mut bits = Bits::new(&stream);
        bits.load();
        assert_eq!(bits.peek(), 0x12FF);
        bits.skip(16);
        bits.load();
        assert_eq!(bits.peek(), 0x3400);
        bits.skip(8);
        bits.check().unwrap();
        bits.skip(1);
        bits.check().unwrap_err();
    }

    #[test]
    fn words_and_bytes_give_the_same_bits() {
        let stream: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(37) & 0x7F).collect();
        let mut bits = Bits::new(&stream);
        let mut read = Vec::new();
        for step in (0..170).map(|n| n % 4) {
            bits.load();
            read.extend((0..step).map(|bit| bits.peek() >> (15 - bit) & 1));
            bits.skip(step);
        }
        let want =
            stream.iter().flat_map(|byte| (0..8).map(move |bit| u16::from(byte >> (7 - bit) & 1)));
        assert_eq!(read, want.take(read.len()).collect::<Vec<_>>());
    }

    #[test]
    fn ff_is_seen_anywhere() {
        assert!(!has_ff(0xFE01_8000_7FFE_F0EF));
        assert!((0..8).all(|at| has_ff(0x0102_0304_8506_0708 | 0xFF << (8 * at))));
    }
}
