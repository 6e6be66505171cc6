//! A place in front of each operation on the disk where tests let it fail. Costs nothing outside tests.

#[cfg(test)]
pub(crate) use planned::Faults;

#[cfg(not(test))]
pub(crate) use none::Faults;

/// No faults are planned.
pub(crate) fn none() -> Faults {
    #[cfg(test)]
    return Faults::default();
    #[cfg(not(test))]
    return Faults;
}

#[cfg(not(test))]
mod none {
    use std::io;

    use crate::names::Names;

    /// No faults.
    #[derive(Debug, Clone)]
    pub(crate) struct Faults;

    impl Faults {
        /// Passes always.
        #[expect(
            clippy::unused_self,
            clippy::unnecessary_wraps,
            reason = "the form that tests need"
        )]
        pub(crate) fn step(&self) -> io::Result<()> {
            Ok(())
        }

        /// The file system is what it is.
        #[expect(clippy::unused_self, reason = "the form that tests need")]
        pub(crate) fn names(&self) -> Option<Names> {
            None
        }

        /// Parts have names only where they must.
        #[expect(clippy::unused_self, reason = "the form that tests need")]
        pub(crate) fn has_parts_with_names(&self) -> bool {
            false
        }
    }
}

#[cfg(test)]
mod planned {
    use std::io;
    use std::sync::Arc;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use crate::names::Names;

    /// Which operations fail: those numbered `from` up to, not with, `until`, counted from 0 since the last plan.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Faults(Arc<Plan>);

    #[derive(Debug, Default)]
    struct Plan {
        steps: AtomicU64,
        from: AtomicU64,
        until: AtomicU64,
        names: OnceLock<Names>,
    }

    impl Faults {
        /// Plans faults and starts counting again.
        pub(crate) fn plan(&self, from: u64, until: u64) {
            self.0.from.store(from, Ordering::SeqCst);
            self.0.until.store(until, Ordering::SeqCst);
            self.0.steps.store(0, Ordering::SeqCst);
        }

        /// The file system is one that does with names what `names` says; of the careful kind, it makes no files without them.
        pub(crate) fn name(&self, names: Names) {
            self.0.names.get_or_init(|| names);
        }

        /// What it does with them, if that was said.
        pub(crate) fn names(&self) -> Option<Names> {
            self.0.names.get().copied()
        }

        /// Whether it makes no files without names.
        pub(crate) fn has_parts_with_names(&self) -> bool {
            self.names() == Some(Names::ByFolder)
        }

        /// Operations since the last plan.
        pub(crate) fn steps(&self) -> u64 {
            self.0.steps.load(Ordering::SeqCst)
        }

        /// Fails when it was planned so.
        pub(crate) fn step(&self) -> io::Result<()> {
            let step = self.0.steps.fetch_add(1, Ordering::SeqCst);
            let (from, until) = (&self.0.from, &self.0.until);
            if (from.load(Ordering::SeqCst)..until.load(Ordering::SeqCst)).contains(&step) {
                return Err(io::Error::other("planned fault"));
            }
            Ok(())
        }
    }
}
