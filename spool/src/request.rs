//! What is asked of the committer, and who is told of it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{InstanceIdentity, SpooledInstance};

use crate::SpoolError;
use crate::ledger::Change;
use crate::part::PartFile;

/// An instance on stable storage, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The instance.
    pub instance: SpooledInstance,
    /// What it changed in its series.
    pub change: Change,
}

/// Who is told what became of an instance. Both are called at most once, on a thread that others wait for, so they must be quick.
pub struct OnStored {
    /// The answer: the instance is as safe as was promised, or why not. Always called.
    pub answer: Box<dyn FnOnce(Result<(), SpoolError>) + Send>,
    /// The instance is recorded and may be asked for. Called before the answer; after it where only the cache is promised; not at all
    /// for what is not stored.
    pub recorded: Box<dyn FnOnce(Published) + Send>,
}

impl fmt::Debug for OnStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnStored").finish_non_exhaustive()
    }
}

impl OnStored {
    pub(crate) fn tell(self, outcome: Result<Published, SpoolError>) {
        let answer = outcome.map(self.recorded);
        (self.answer)(answer);
    }
}

/// What the committer's thread is asked for.
pub(crate) enum Work {
    /// To make an instance durable.
    Commit(Box<Request>),
    /// To record those that are late.
    Record,
}

/// What became of an instance on the thread of its sender.
pub(crate) enum Here {
    /// All is done.
    Done,
    /// It is late, and nobody was told to record it yet.
    Late,
    /// Nothing: the committer is to do it.
    Elsewhere(Box<Request>),
}

/// An instance that is to become durable.
pub(crate) struct Request {
    pub(crate) part: PartFile,
    pub(crate) identity: InstanceIdentity,
    pub(crate) stored: OnStored,
}

/// Calls somebody who is to be told. A panic there is its own; the others must hear of their instances all the same.
pub(crate) fn call(told: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(told)).is_err() {
        tracing::error!("the receiver of an instance's outcome failed by a bug");
    }
}
