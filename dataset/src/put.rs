//! Putting values into a data set that is going to be written.

use domain::{CodedConcept, Tag};

use crate::decimal::decimal;
use crate::{DataSet, Element, Value, Vr, tags};

impl DataSet {
    /// Copies attributes to the letter; those that the source lacks are not touched.
    pub fn copy_from(&mut self, source: &Self, attributes: &[Tag]) {
        for tag in attributes {
            if let Some(element) = source.get(*tag) {
                self.insert(*tag, element.clone());
            }
        }
    }

    /// Bytes as they are; padded to an even length with 0.
    pub fn put_bytes(&mut self, tag: Tag, vr: Vr, mut bytes: Vec<u8>) {
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        self.insert(tag, Element { vr, value: Value::Bytes(bytes) });
    }

    /// Text, padded with a space.
    pub fn put_text(&mut self, tag: Tag, vr: Vr, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == Vr::UI { 0 } else { b' ' });
        }
        self.insert(tag, Element { vr, value: Value::Bytes(bytes) });
    }

    /// Several texts with backslashes between them.
    pub fn put_texts(&mut self, tag: Tag, vr: Vr, texts: &[&str]) {
        self.put_text(tag, vr, &texts.join("\\"));
    }

    /// A UID, padded with NUL.
    pub fn put_uid(&mut self, tag: Tag, uid: &str) {
        self.put_text(tag, Vr::UI, uid);
    }

    /// US.
    pub fn put_u16s(&mut self, tag: Tag, values: &[u16]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put_bytes(tag, Vr::US, bytes);
    }

    /// UL.
    pub fn put_u32s(&mut self, tag: Tag, values: &[u32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put_bytes(tag, Vr::UL, bytes);
    }

    /// FL.
    pub fn put_f32s(&mut self, tag: Tag, values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put_bytes(tag, Vr::FL, bytes);
    }

    /// FD.
    pub fn put_f64s(&mut self, tag: Tag, values: &[f64]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put_bytes(tag, Vr::FD, bytes);
    }

    /// DS: each value in the text of at most 16 characters that is nearest to it (PS3.5 §6.2).
    pub fn put_decimals(&mut self, tag: Tag, values: &[f64]) {
        let texts: Vec<String> = values.iter().map(|value| decimal(*value)).collect();
        self.put_text(tag, Vr::DS, &texts.join("\\"));
    }

    /// A sequence.
    pub fn put_items(&mut self, tag: Tag, items: Vec<Self>) {
        self.insert(tag, Element { vr: Vr::SQ, value: Value::Items(items) });
    }

    /// An attribute without a value (type 2).
    pub fn put_empty(&mut self, tag: Tag, vr: Vr) {
        if vr == Vr::SQ { self.put_items(tag, vec![]) } else { self.put_bytes(tag, vr, vec![]) }
    }

    /// A Code Sequence with one item (PS3.3 §8).
    pub fn put_code(&mut self, tag: Tag, concept: &CodedConcept) {
        let mut item = Self::new();
        item.put_text(tags::CODE_VALUE, Vr::SH, &concept.value);
        item.put_text(tags::CODING_SCHEME_DESIGNATOR, Vr::SH, &concept.scheme);
        item.put_text(tags::CODE_MEANING, Vr::LO, &concept.meaning);
        self.put_items(tag, vec![item]);
    }
}
