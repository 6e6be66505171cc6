//! Look-up tables as data sets have them: Modality, VOI, Palette Color (PS3.3 §C.11.1.1, §C.11.2.1.1, §C.7.6.3.1.5).

use dataset::{DataSet, Element, Value};
use domain::Tag;

use crate::format::Number;

/// Entries that a descriptor can speak of.
const ENTRIES_MAX: usize = 65_536;

/// A table from stored values, or modality values, to others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lut {
    /// The value of the first entry; those below get it too.
    first_mapped: i64,
    /// Never empty.
    entries: Vec<u16>,
    /// Bits of an entry: 1 to 16.
    bits: u16,
}

/// The first values of a LUT Descriptor.
struct Descriptor {
    count: usize,
    first_mapped: i64,
    bits: u16,
}

impl Descriptor {
    fn read(set: &DataSet, tag: Tag, number: Number) -> Result<Self, String> {
        let values = words(bytes(set, tag));
        let [count, first, bits] = values[..] else {
            return Err(format!("LUT Descriptor has {} values, not 3", values.len()));
        };
        let first_mapped = match number {
            Number::Unsigned | Number::Float => i64::from(first),
            Number::Signed => i64::from(first.cast_signed()),
        };
        // 0 stands for 65,536 (PS3.3 §C.11.1.1.1).
        let count = if count == 0 { ENTRIES_MAX } else { usize::from(count) };
        Ok(Self { count, first_mapped, bits: bits.clamp(1, 16) })
    }
}

impl Lut {
    /// Reads a table from LUT Descriptor and LUT Data.
    pub(crate) fn read(
        set: &DataSet,
        [descriptor, data]: [Tag; 2],
        number: Number,
    ) -> Result<Self, String> {
        let Descriptor { count, first_mapped, bits } = Descriptor::read(set, descriptor, number)?;
        let data = bytes(set, data);
        let mut entries: Vec<u16> = match data.len() {
            length if length >= 2 * count => words(data),
            // 8-bit entries are two to a word.
            length if length >= count => data.iter().copied().map(u16::from).collect(),
            length => return Err(format!("{count} entries in {length} bytes")),
        };
        entries.truncate(count);
        Ok(Self { first_mapped, entries, bits })
    }

    /// Reads a table whose data are segments (PS3.3 §C.7.9.2).
    pub(crate) fn read_segmented(
        set: &DataSet,
        [descriptor, data]: [Tag; 2],
        number: Number,
    ) -> Result<Self, String> {
        let Descriptor { count, first_mapped, bits } = Descriptor::read(set, descriptor, number)?;
        let data = bytes(set, data);
        let words =
            if bits > 8 { words(data) } else { data.iter().copied().map(u16::from).collect() };
        let mut segments = Segments { words: &words, bits, entries: Vec::new() };
        segments.read(0, usize::MAX, Indirect::Welcome)?;
        let mut entries = segments.entries;
        if entries.len() < count {
            return Err(format!("{} entries in segments, {count} expected", entries.len()));
        }
        entries.truncate(count);
        Ok(Self { first_mapped, entries, bits })
    }

    /// The entry of a value; the first and the last stand for all beyond them.
    pub(crate) fn value(&self, stored: i64) -> u16 {
        let last = self.entries.len() - 1;
        let index = usize::try_from(stored.saturating_sub(self.first_mapped)).unwrap_or(0);
        self.entries[index.min(last)]
    }

    /// Largest value that entries may have.
    pub(crate) fn largest(&self) -> u16 {
        u16::MAX >> (16 - self.bits)
    }

    /// The entry of a value in 8 bits.
    pub(crate) fn level(&self, stored: i64) -> u8 {
        let value = self.value(stored);
        let value = if self.bits > 8 { value >> (self.bits - 8) } else { value };
        u8::try_from(value).unwrap_or(u8::MAX)
    }
}

fn bytes(set: &DataSet, tag: Tag) -> &[u8] {
    match set.get(tag) {
        Some(Element { value: Value::Bytes(bytes), .. }) => bytes.as_slice(),
        Some(Element { value: Value::Items(_), .. }) | None => &[],
    }
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|word| u16::from_le_bytes(*word)).collect()
}

/// Whether a segment may send to others.
#[derive(Clone, Copy, PartialEq)]
enum Indirect {
    Welcome,
    Forbidden,
}

/// Segments on their way to entries.
struct Segments<'a> {
    words: &'a [u16],
    bits: u16,
    entries: Vec<u16>,
}

impl Segments<'_> {
    /// Expands up to `count` segments from the word at `at` on.
    fn read(&mut self, mut at: usize, count: usize, indirect: Indirect) -> Result<(), String> {
        for _ in 0..count {
            let Some([code, length]) = self.words.get(at..at + 2) else { break };
            let length = usize::from(*length);
            at += 2;
            // Each segment brings an entry, so that the bound on entries is one on segments.
            if length == 0 {
                return Err("a segment of length 0".to_owned());
            }
            match code {
                0 => {
                    let values = self.words.get(at..at + length).ok_or("a segment is cut off")?;
                    self.entries.extend(values);
                    at += length;
                }
                1 => {
                    let end = *self.words.get(at).ok_or("a segment is cut off")?;
                    self.line(end, length)?;
                    at += 1;
                }
                2 if indirect == Indirect::Welcome => {
                    let (offset, words) = self.offset(at)?;
                    self.read(offset, length, Indirect::Forbidden)?;
                    at += words;
                }
                other => return Err(format!("segment type {other}")),
            }
            if self.entries.len() > ENTRIES_MAX {
                return Err(format!("more than {ENTRIES_MAX} entries in segments"));
            }
        }
        Ok(())
    }

    /// A straight line from the last entry, which is not repeated, to `end`.
    fn line(&mut self, end: u16, length: usize) -> Result<(), String> {
        let start = f64::from(*self.entries.last().ok_or("a line without a beginning")?);
        for step in 1..=length {
            #[expect(clippy::cast_precision_loss, reason = "at most 65,535")]
            let part = step as f64 / length as f64;
            let value = (start + (f64::from(end) - start) * part).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two entries"
            )]
            self.entries.push(value as u16);
        }
        Ok(())
    }

    /// The word that an indirect segment points at, and how many words said so. Offsets count bytes, the low half comes first.
    fn offset(&self, at: usize) -> Result<(usize, usize), String> {
        let (words, shift) = if self.bits > 8 { (2, 16) } else { (4, 8) };
        let halves = self.words.get(at..at + words).ok_or("a segment is cut off")?;
        let offset = halves.iter().rev().fold(0, |sum, half| sum << shift | usize::from(*half));
        Ok((offset / if self.bits > 8 { 2 } else { 1 }, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(words: &[u16], bits: u16) -> Result<Vec<u16>, String> {
        let mut segments = Segments { words, bits, entries: Vec::new() };
        segments.read(0, usize::MAX, Indirect::Welcome)?;
        Ok(segments.entries)
    }

    #[test]
    fn segments_of_each_type() {
        let (discrete, line) = ([0, 3, 10, 20, 100], [1, 4, 180]);
        let words = [&discrete[..], &line].concat();
        assert_eq!(expanded(&words, 16).unwrap(), [10, 20, 100, 120, 140, 160, 180]);
        // Both again, from byte 0.
        let again = [&words[..], &[2, 2, 0, 0]].concat();
        assert_eq!(expanded(&again, 16).unwrap()[7..], [10, 20, 100, 120, 140, 160, 180]);
        let bytes = [&words[..], &[2, 1, 5, 0, 0, 0]].concat();
        assert_eq!(expanded(&bytes, 8).unwrap()[7..], [180; 4]);
    }

    #[test]
    fn segments_that_cannot_be() {
        assert_eq!(expanded(&[1, 2, 3], 16).unwrap_err(), "a line without a beginning");
        assert_eq!(expanded(&[0, 2, 3], 16).unwrap_err(), "a segment is cut off");
        assert_eq!(expanded(&[3, 2, 3], 16).unwrap_err(), "segment type 3");
        for kind in 0..3 {
            let words = [0, 1, 7, kind, 0, 0, 0];
            assert_eq!(expanded(&words, 16).unwrap_err(), "a segment of length 0");
        }
        // An indirect segment that sends to itself.
        assert_eq!(expanded(&[2, 9, 0, 0], 16).unwrap_err(), "segment type 2");
        let long: Vec<u16> = [vec![0, 1, 1], [1, 65_535, 2].repeat(3)].concat();
        assert_eq!(expanded(&long, 16).unwrap_err(), "more than 65536 entries in segments");
    }
}
