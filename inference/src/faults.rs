//! Everything that is wrong with a model folder, in one list.

use std::fmt;

use thiserror::Error;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFault {
    /// Key path in `model.toml`, or the file.
    pub at: String,
    /// What is wrong there, and what would be right.
    pub what: String,
}

impl fmt::Display for ModelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// All faults of a model folder; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ModelFaults(Vec<ModelFault>);

impl ModelFaults {
    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn list(&self) -> &[ModelFault] {
        &self.0
    }
}

impl fmt::Display for ModelFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [fault] = self.0.as_slice() {
            return write!(f, "{fault}");
        }
        write!(f, "{} faults", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// Collects faults while a folder is looked at.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<ModelFault>);

impl Faults {
    /// Notes a fault.
    pub(crate) fn add(&mut self, at: impl Into<String>, what: impl Into<String>) {
        self.0.push(ModelFault { at: at.into(), what: what.into() });
    }

    /// Whether nothing was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults as an error, where there are any.
    pub(crate) fn into_result(self) -> Result<(), ModelFaults> {
        if self.0.is_empty() { Ok(()) } else { Err(ModelFaults(self.0)) }
    }

    /// One fault as an error.
    pub(crate) fn only(at: impl Into<String>, what: impl Into<String>) -> ModelFaults {
        ModelFaults(vec![ModelFault { at: at.into(), what: what.into() }])
    }
}
