//! Coded concepts (PS3.3 §8).

use std::fmt;

/// A Code Sequence item: Code Value, Coding Scheme Designator, Code Meaning.
///
/// Two concepts are equal when scheme and value are; the meaning is for people (PS3.3 §8.3).
#[derive(Debug, Clone)]
pub struct CodedConcept {
    /// Code Value (0008,0100), at most 16 characters.
    pub value: String,
    /// Coding Scheme Designator (0008,0102), such as `SCT`, `DCM`, `UCUM`.
    pub scheme: String,
    /// Code Meaning (0008,0104), at most 64 characters.
    pub meaning: String,
}

impl CodedConcept {
    /// A concept from its triple, in the order in which the standard prints it: (value, scheme, "meaning").
    #[must_use]
    pub fn new(value: &str, scheme: &str, meaning: &str) -> Self {
        Self { value: value.into(), scheme: scheme.into(), meaning: meaning.into() }
    }
}

impl PartialEq for CodedConcept {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.value == other.value
    }
}

impl Eq for CodedConcept {}

impl fmt::Display for CodedConcept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}, \"{}\")", self.value, self.scheme, self.meaning)
    }
}
