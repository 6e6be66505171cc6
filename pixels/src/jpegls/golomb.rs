//! Golomb codes of limited length (ITU-T T.87 §A.5.3).

use super::bits::Bits;
use super::broken;
use crate::encapsulated::DecodeFault;

/// The code of mapped errors.
pub(super) struct Golomb {
    /// RANGE: larger errors cannot be.
    pub(super) range: i32,
    /// Bits of an error that is written as it is.
    pub(super) error_bits: u32,
    /// LIMIT.
    pub(super) limit: u32,
}

impl Golomb {
    #[inline]
    pub(super) fn read(
        &self,
        bits: &mut Bits<'_>,
        order: u32,
        limit: u32,
    ) -> Result<i32, DecodeFault> {
        let longest = limit.saturating_sub(self.error_bits + 1);
        let zeros = bits.zeros(longest);
        let mapped = if zeros < longest {
            i64::from(zeros) << order | i64::from(bits.take(order.min(32)))
        } else {
            i64::from(bits.take(self.error_bits)) + 1
        };
        // Twice the range is what the largest error maps to.
        let most = 2 * i64::from(self.range) + 1;
        i32::try_from(mapped)
            .ok()
            .filter(|mapped| i64::from(*mapped) <= most)
            .ok_or_else(|| broken("an error beyond the range"))
    }
}
