//! How a command fails: a text for people and an exit code for scripts (sysexits.h).

use std::fmt;
use std::process::ExitCode;

/// Whose fault it is, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 64: the command line makes no sense.
    Misuse,
    /// 65: the input cannot be used.
    Input,
    /// 69: a peer or a library that we need did not do its part.
    Unavailable,
    /// 70: our own.
    Internal,
    /// 74: a file or folder.
    Disk,
    /// 78: the configuration.
    Configuration,
}

impl From<Fault> for ExitCode {
    fn from(fault: Fault) -> Self {
        Self::from(match fault {
            Fault::Misuse => 64,
            Fault::Input => 65,
            Fault::Unavailable => 69,
            Fault::Internal => 70,
            Fault::Disk => 74,
            Fault::Configuration => 78,
        })
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whose fault.
    pub(crate) fault: Fault,
    /// One or more lines for people.
    pub(crate) text: String,
}

impl Failure {
    /// A failure with its text.
    pub(crate) fn new(fault: Fault, text: impl fmt::Display) -> Self {
        Self { fault, text: text.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Gives an error its fault: `write(path).or_fail(Fault::Disk, || path.display())?`.
pub(crate) trait OrFail<T> {
    /// Turns an error into a [`Failure`] that names what was attempted.
    fn or_fail<C: fmt::Display>(self, fault: Fault, on: impl FnOnce() -> C) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> OrFail<T> for Result<T, E> {
    fn or_fail<C: fmt::Display>(self, fault: Fault, on: impl FnOnce() -> C) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(fault, format!("{}: {error}", on())))
    }
}
