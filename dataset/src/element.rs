//! One element: its VR and its value.

use std::fmt;

use crate::{DataSet, Vr};

/// An element of a data set, without its tag.
#[derive(Clone, PartialEq)]
pub struct Element {
    /// Value Representation; of implicit data sets, what PS3.6 says.
    pub vr: Vr,
    /// The value.
    pub value: Value,
}

/// A value as it stands in a data set.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Everything but sequences: little endian, padding kept, not decoded.
    Bytes(Vec<u8>),
    /// The items of a sequence.
    Items(Vec<DataSet>),
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.vr, self.value)
    }
}

/// Lengths only: values may be a patient's.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Items(items) => f.debug_list().entries(items).finish(),
        }
    }
}
