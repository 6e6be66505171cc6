//! Huffman tables (ITU-T T.81 Annex C, §F.2.2.3).

use super::bits::Bits;
use super::broken;
use crate::encapsulated::DecodeFault;

/// Codes up to this length are found in one step.
const FAST_BITS: u32 = 9;

/// A table of codes of up to 16 bits.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// By the next bits: length and symbol; length 0 for a longer code.
    fast: Vec<(u8, u8)>,
    /// By length − 1: the first 16 bits behind the last code, left aligned; larger than any that begin with such a code.
    ends: [u32; 16],
    /// By length − 1: index of the first symbol minus its code.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Table {
    /// From the numbers of codes by length and the symbols in order of their codes.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, DecodeFault> {
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if total == 0 || total != symbols.len() {
            return Err(broken("a Huffman table without its symbols"));
        }
        let mut table = Self {
            fast: vec![(0, 0); 1 << FAST_BITS],
            ends: [0; 16],
            offsets: [0; 16],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut first) = (0_u32, 0_usize);
        for (count, length) in counts.iter().zip(1_u32..) {
            let at = length as usize - 1;
            let count = u32::from(*count);
            if code + count > 1 << length {
                return Err(broken("a Huffman table with too many codes"));
            }
            table.offsets[at] = i32::try_from(first).unwrap_or(0) - code.cast_signed();
            table.put_fast(code, count, length, &symbols[first..first + count as usize]);
            code += count;
            first += count as usize;
            table.ends[at] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    fn put_fast(&mut self, code: u32, count: u32, length: u32, symbols: &[u8]) {
        let Some(spare) = FAST_BITS.checked_sub(length) else { return };
        for (code, symbol) in (code..code + count).zip(symbols) {
            let from = (code << spare) as usize;
            let length = length.to_le_bytes()[0];
            self.fast[from..from + (1 << spare)].fill((length, *symbol));
        }
    }

    /// The next symbol; 32 bits must be loaded.
    #[inline]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, DecodeFault> {
        let next = bits.peek();
        let (length, symbol) = self.fast[usize::from(next >> (16 - FAST_BITS))];
        if length > 0 {
            bits.skip(length.into());
            return Ok(symbol);
        }
        self.long_symbol(bits, next)
    }

    fn long_symbol(&self, bits: &mut Bits<'_>, next: u16) -> Result<u8, DecodeFault> {
        let at = self.ends.iter().position(|end| u32::from(next) < *end);
        let at = at.ok_or_else(|| broken("a code that no Huffman table has"))?;
        let code = i32::from(next >> (15 - at));
        let symbol = usize::try_from(code + self.offsets[at]).ok();
        let symbol = symbol.and_then(|index| self.symbols.get(index));
        bits.skip(u32::try_from(at + 1).unwrap_or(16));
        symbol.copied().ok_or_else(|| broken("a code that no Huffman table has"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_length() {
        // One code of each length: 0, 10, 110, …
        let table = Table::new(&[1; 16], &(0..16).collect::<Vec<u8>>()).unwrap();
        let mut bits = Bits::new(&[0b0101_1011, 0b1011_1111, 0b1111_1110, 0, 0, 0, 0, 0]);
        let read: Vec<u8> = (0..5)
            .map(|_| {
                bits.load();
                table.symbol(&mut bits).unwrap()
            })
            .collect();
        assert_eq!(read, [0, 1, 2, 3, 13]);
        let mut none = Bits::new(&[0xFF, 0, 0xFF, 0]);
        none.load();
        assert!(table.symbol(&mut none).is_err());
    }

    #[test]
    fn tables_that_cannot_be() {
        let mut counts = [0; 16];
        assert!(Table::new(&counts, &[]).is_err());
        counts[0] = 3;
        assert!(Table::new(&counts, &[1, 2, 3]).is_err());
        counts[0] = 1;
        assert!(Table::new(&counts, &[1, 2]).is_err());
    }
}
