//! One of the three graphs, ready to run. Does not know what its tensors mean.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use domain::Unsuitable;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Outlet};

use crate::faults::{Faults, ModelFaults};
use crate::runtime::{Memory, Runtime};
use crate::scores::{Next, failed};

/// A session, and what it is called in errors.
#[derive(Debug)]
pub(super) struct Graph {
    name: &'static str,
    session: Mutex<Session>,
}

/// A tensor with its name.
pub(super) type Named<'a> = (&'a str, SessionInputValue<'a>);

impl Graph {
    /// Loads a file.
    pub(super) fn load(
        name: &'static str,
        file: &Path,
        runtime: &Runtime,
    ) -> Result<Self, ModelFaults> {
        let wrong = |what: String| Faults::only(file.display().to_string(), what);
        let session = runtime.session(Memory::Arena).map_err(wrong)?.commit_from_file(file);
        let session = session.map_err(|error| wrong(error.to_string()))?;
        Ok(Self { name, session: Mutex::new(session) })
    }

    /// Looks at its inputs and outputs.
    pub(super) fn look<T>(&self, look: impl FnOnce(&[Outlet], &[Outlet]) -> T) -> T {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        look(session.inputs(), session.outputs())
    }

    /// Runs it; gives the outputs that are asked for, in that order, all finite.
    ///
    /// # Errors
    /// `ModelFailed`, naming the graph.
    pub(super) fn run(
        &self,
        inputs: Vec<Named<'_>>,
        outputs: &[&str],
        next: Next,
    ) -> Result<Vec<DynValue>, Unsuitable> {
        let values = self.try_run(inputs, outputs, next).map_err(|error| self.failed(error))?;
        for (value, name) in values.iter().zip(outputs) {
            let (_, numbers) =
                value.try_extract_tensor::<f32>().map_err(|error| self.failed(error))?;
            if !all_finite(numbers) {
                return Err(self.failed(format!("{name} has values that are not finite")));
            }
        }
        Ok(values)
    }

    fn try_run(
        &self,
        inputs: Vec<Named<'_>>,
        outputs: &[&str],
        next: Next,
    ) -> ort::Result<Vec<DynValue>> {
        let mut options = RunOptions::new()?;
        if next == Next::End {
            options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
        }
        let inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
            inputs.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        // A run that panicked in another thread leaves the session as it was.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = session.run_with_options(inputs, &options)?;
        let take = |name: &&str| {
            found.remove(name).ok_or_else(|| ort::Error::new(format!("output {name} is missing")))
        };
        outputs.iter().map(take).collect()
    }

    /// The graph failed.
    pub(super) fn failed(&self, what: impl std::fmt::Display) -> Unsuitable {
        failed(format!("{}: {what}", self.name))
    }
}

/// Whether no value is NaN or infinite. Looks at parts without stopping in them, which compilers turn into vector instructions.
pub(super) fn all_finite(values: &[f32]) -> bool {
    values.chunks(1 << 12).all(|part| part.iter().fold(true, |all, value| all & value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_that_is_none_is_seen() {
        let mut values = vec![1.0; 10_000];
        assert!(all_finite(&values));
        values[9_999] = f32::NEG_INFINITY;
        assert!(!all_finite(&values));
        values[9_999] = f32::NAN;
        assert!(!all_finite(&values));
    }
}
