//! What is wrong with a configuration.

use std::fmt;
use std::path::Path;

use thiserror::Error;

/// One or more faults, one a line, each with the path of its key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Faults(Vec<String>);

impl Faults {
    pub(crate) fn one(key: &str, text: impl fmt::Display) -> Self {
        let mut faults = Self(vec![]);
        faults.add(key, text);
        faults
    }

    pub(crate) fn none() -> Self {
        Self(vec![])
    }

    pub(crate) fn add(&mut self, key: &str, text: impl fmt::Display) {
        let line = if key.is_empty() { text.to_string() } else { format!("{key}: {text}") };
        self.0.push(line);
    }

    /// Keeps the fault of a part, if it has one.
    pub(crate) fn take<T, E: fmt::Display>(&mut self, key: &str, part: Result<T, E>) -> Option<T> {
        part.map_err(|error| self.add(key, error)).ok()
    }

    pub(crate) fn or<T>(self, sound: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(sound) } else { Err(self) }
    }

    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self(self.0.into_iter().map(|line| format!("{}: {line}", path.display())).collect())
    }

    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
