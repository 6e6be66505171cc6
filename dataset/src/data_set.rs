//! Elements in order of their tags, and questions about them.

use std::collections::BTreeMap;
use std::fmt;

use domain::Tag;
use thiserror::Error;

use crate::{Element, Value, Vr};

/// A data set, or an item of a sequence.
#[derive(Clone, Default, PartialEq)]
pub struct DataSet(BTreeMap<Tag, Element>);

/// A value that should be a number, or a whole one, and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{tag} is no number")]
pub struct NoNumber {
    /// The attribute.
    pub tag: Tag,
}

impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

impl DataSet {
    /// A data set without elements.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The element of an attribute.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&Element> {
        self.0.get(&tag)
    }

    /// Whether the attribute is there, with a value or without.
    #[must_use]
    pub fn contains(&self, tag: Tag) -> bool {
        self.0.contains_key(&tag)
    }

    /// Takes an attribute out.
    pub fn remove(&mut self, tag: Tag) -> Option<Element> {
        self.0.remove(&tag)
    }

    /// Puts an element in; an earlier one of the same tag is replaced.
    pub fn insert(&mut self, tag: Tag, element: Element) {
        self.0.insert(tag, element);
    }

    /// All elements, in order of their tags.
    pub fn iter(&self) -> impl Iterator<Item = (&Tag, &Element)> {
        self.0.iter()
    }

    /// The element at the end of a path; each step but the last goes into the first item of a sequence.
    #[must_use]
    pub fn at(&self, path: &[Tag]) -> Option<&Element> {
        let (last, steps) = path.split_last()?;
        let mut data_set = self;
        for step in steps {
            data_set = data_set.items(*step).first()?;
        }
        data_set.get(*last)
    }

    /// The items of a sequence; none when the attribute is absent or no sequence.
    #[must_use]
    pub fn items(&self, tag: Tag) -> &[Self] {
        match self.get(tag).map(|element| &element.value) {
            Some(Value::Items(items)) => items,
            Some(Value::Bytes(_)) | None => &[],
        }
    }

    /// The value as text, with backslashes between values; `None` when absent or empty.
    ///
    /// Bytes outside UTF-8 become replacement characters: for codes, numbers and UIDs, not for names.
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<String> {
        let values = self.texts(tag);
        (!values.is_empty()).then(|| values.join("\\"))
    }

    /// The values as texts, without padding; none when absent or empty. Binary numbers are printed.
    #[must_use]
    pub fn texts(&self, tag: Tag) -> Vec<String> {
        let Some(Element { vr, value: Value::Bytes(bytes) }) = self.get(tag) else { return vec![] };
        if let Some(width) = number_width(*vr) {
            return bytes.chunks_exact(width).map(|chunk| binary_text(*vr, chunk)).collect();
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\0', ' ']);
        if text.is_empty() {
            vec![]
        } else if is_single_text(*vr) {
            vec![text.to_owned()]
        } else {
            text.split('\\').map(|value| value.trim_matches(' ').to_owned()).collect()
        }
    }

    /// The values as numbers: DS, IS and the binary VRs. Texts that are no numbers are left out.
    #[must_use]
    pub fn numbers(&self, tag: Tag) -> Vec<f64> {
        let Some(Element { vr, value: Value::Bytes(bytes) }) = self.get(tag) else { return vec![] };
        if let Some(width) = number_width(*vr) {
            return bytes.chunks_exact(width).map(|chunk| binary_number(*vr, chunk)).collect();
        }
        let text = String::from_utf8_lossy(bytes);
        text.split('\\').filter_map(|value| value.trim_matches(['\0', ' ']).parse().ok()).collect()
    }

    /// The values as numbers, where all of them are some; none when absent or empty.
    ///
    /// # Errors
    /// [`NoNumber`]: of an attribute that is there and cannot be read nothing else may be taken for granted.
    pub fn checked_numbers(&self, tag: Tag) -> Result<Vec<f64>, NoNumber> {
        let numbers = self.numbers(tag);
        let is_whole = match self.get(tag) {
            Some(Element { vr, value: Value::Bytes(bytes) }) => {
                value_count(*vr, bytes) == Some(numbers.len())
            }
            Some(Element { value: Value::Items(_), .. }) => false,
            None => true,
        };
        if is_whole { Ok(numbers) } else { Err(NoNumber { tag }) }
    }

    /// The first value as a number; `None` when absent or empty.
    ///
    /// # Errors
    /// Those of [`DataSet::checked_numbers`].
    pub fn checked_number(&self, tag: Tag) -> Result<Option<f64>, NoNumber> {
        self.checked_numbers(tag).map(|numbers| numbers.first().copied())
    }

    /// The first value as a whole number; `None` when absent or empty.
    ///
    /// # Errors
    /// Those of [`DataSet::checked_numbers`], and for one that has a fraction or does not fit.
    pub fn checked_int(&self, tag: Tag) -> Result<Option<i64>, NoNumber> {
        let number = self.checked_number(tag)?;
        number.map(|_| self.int(tag).ok_or(NoNumber { tag })).transpose()
    }

    /// The first value as a number.
    #[must_use]
    pub fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag).first().copied()
    }

    /// The first value as a whole number; `None` when it has a fraction or does not fit.
    #[must_use]
    pub fn int(&self, tag: Tag) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = self.number(tag)?;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    }
}

/// Values of an element that should hold numbers; `None` where bytes are left over.
fn value_count(vr: Vr, bytes: &[u8]) -> Option<usize> {
    if let Some(width) = number_width(vr) {
        return bytes.len().is_multiple_of(width).then_some(bytes.len() / width);
    }
    let is_empty = bytes.iter().all(|byte| matches!(byte, b' ' | 0));
    Some(if is_empty { 0 } else { bytes.split(|byte| *byte == b'\\').count() })
}

/// Bytes of one number in VRs that hold binary numbers.
fn number_width(vr: Vr) -> Option<usize> {
    if matches!(vr, Vr::US | Vr::SS) {
        Some(2)
    } else if matches!(vr, Vr::UL | Vr::SL | Vr::FL) {
        Some(4)
    } else if matches!(vr, Vr::FD | Vr::UV | Vr::SV) {
        Some(8)
    } else {
        None
    }
}

/// VRs in which a backslash is a character like any other (PS3.5 §6.2).
fn is_single_text(vr: Vr) -> bool {
    matches!(vr, Vr::LT | Vr::ST | Vr::UT | Vr::UR)
}

/// Eight little-endian bytes, the number in front, zeros behind.
fn widened(chunk: &[u8]) -> [u8; 8] {
    let mut wide = [0; 8];
    wide[..chunk.len()].copy_from_slice(chunk);
    wide
}

#[expect(clippy::cast_precision_loss, reason = "64-bit values beyond 2^53 do not occur in headers")]
fn binary_number(vr: Vr, chunk: &[u8]) -> f64 {
    let wide = widened(chunk);
    let [a, b, c, d, ..] = wide;
    if vr == Vr::FD {
        f64::from_le_bytes(wide)
    } else if vr == Vr::FL {
        f32::from_le_bytes([a, b, c, d]).into()
    } else if vr == Vr::SS {
        i16::from_le_bytes([a, b]).into()
    } else if vr == Vr::SL {
        i32::from_le_bytes([a, b, c, d]).into()
    } else if vr == Vr::SV {
        i64::from_le_bytes(wide) as f64
    } else {
        u64::from_le_bytes(wide) as f64
    }
}

fn binary_text(vr: Vr, chunk: &[u8]) -> String {
    let wide = widened(chunk);
    if vr == Vr::UV {
        u64::from_le_bytes(wide).to_string()
    } else if vr == Vr::SV {
        i64::from_le_bytes(wide).to_string()
    } else {
        binary_number(vr, chunk).to_string()
    }
}
