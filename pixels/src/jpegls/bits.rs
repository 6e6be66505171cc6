//! Bits of a scan: behind each byte FF stands a bit 0 that means nothing (ITU-T T.87 §A.1).

use super::broken;
use crate::encapsulated::DecodeFault;
use crate::jpeg::has_ff;

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
    made_up: u32,
    /// The byte in front of `at` is FF.
    after_ff: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { stream, begin: 0, at: 0, bits: 0, count: 0, made_up: 0, after_ff: false }
    }

    /// Loads at least 32 bits.
    fn load(&mut self) {
        let next = self.stream.get(self.at..self.at + 8).and_then(|bytes| bytes.first_chunk());
        let next = next.map(|bytes| u64::from_be_bytes(*bytes));
        if let Some(word) = next.filter(|word| !self.after_ff && !has_ff(*word)) {
            // Bits behind `count` are those that will be loaded again, so that they may stay.
            self.bits |= word >> self.count;
            let bytes = (64 - self.count) / 8;
            self.at += bytes as usize;
            self.count += 8 * bytes;
            return;
        }
        while self.count <= 56 {
            let byte = match self.stream.get(self.at) {
                // A byte with its highest bit set behind FF is a marker.
                Some(byte) if !self.after_ff || *byte < 0x80 => *byte,
                Some(_) | None => {
                    self.made_up += 8;
                    self.count += 8;
                    if self.made_up > 1 << 16 {
                        return;
                    }
                    continue;
                }
            };
            let width = if self.after_ff { 7 } else { 8 };
            self.bits |= u64::from(byte) << (64 - width - self.count);
            self.count += width;
            self.after_ff = byte == 0xFF;
            self.at += 1;
        }
    }

    /// The next bit.
    #[inline]
    pub(super) fn bit(&mut self) -> bool {
        self.take(1) == 1
    }

    /// The next `count` bits, at most 32.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        if self.count < count {
            self.load();
        }
        let [a, b, c, d, ..] = self.bits.to_be_bytes();
        let value = u32::from_be_bytes([a, b, c, d]) >> (32 - count);
        self.bits <<= count;
        self.count = self.count.saturating_sub(count);
        value
    }

    /// Counts zeros up to a one, which is taken too; at most `most` zeros.
    #[inline]
    pub(super) fn zeros(&mut self, most: u32) -> u32 {
        if self.count < 32 {
            self.load();
        }
        let zeros = self.bits.leading_zeros();
        if zeros < 32 && zeros <= most {
            self.bits <<= zeros + 1;
            self.count = self.count.saturating_sub(zeros + 1);
            return zeros;
        }
        self.many_zeros(most)
    }

    #[cold]
    fn many_zeros(&mut self, most: u32) -> u32 {
        (0..most).find(|_| self.bit()).unwrap_or_else(|| {
            // The one behind the longest run of zeros.
            self.take(1);
            most
        })
    }

    /// Fails when more was read than there is.
    pub(super) fn check(&self) -> Result<(), DecodeFault> {
        if self.made_up > self.count { Err(broken("the scan ends too early")) } else { Ok(()) }
    }

    /// Where the scan ends in the stream; whole bytes that were loaded and not used are given back by looking for the marker.
    pub(super) fn position(&self) -> usize {
        // The marker behind the scan is at the end of what was loaded, or a few bytes in front of it.
        let unread = (self.count.saturating_sub(self.made_up) / 7) as usize;
        self.at.saturating_sub(unread + 2).max(self.begin)
    }

    /// Goes behind the next restart marker.
    pub(super) fn restart(&mut self) -> Result<(), DecodeFault> {
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
