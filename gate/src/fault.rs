//! What is wrong with a result.

use std::fmt;

/// One rule that one result breaks. No patient attribute is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// SOP Instance UID of the result; empty where it has none.
    pub sop_instance: String,
    /// Which rule, as a word.
    pub rule: &'static str,
    /// Where: keywords and item numbers from 1.
    pub path: String,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} ({})", self.rule, self.path, self.detail, self.sop_instance)
    }
}

/// The faults of one result, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    sop_instance: String,
    found: Vec<Fault>,
}

impl Faults {
    /// None yet, of this instance.
    pub(crate) fn of(sop_instance: &str) -> Self {
        Self { sop_instance: sop_instance.to_owned(), found: Vec::new() }
    }

    /// Adds one.
    pub(crate) fn add(&mut self, rule: &'static str, path: &str, detail: impl Into<String>) {
        let (sop_instance, path) = (self.sop_instance.clone(), path.to_owned());
        self.found.push(Fault { sop_instance, rule, path, detail: detail.into() });
    }

    /// Adds one unless `holds`.
    pub(crate) fn unless(
        &mut self,
        holds: bool,
        rule: &'static str,
        path: &str,
        detail: impl FnOnce() -> String,
    ) {
        if !holds {
            self.add(rule, path, detail());
        }
    }

    /// All that were found.
    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.found
    }
}
