//! What is found out once about an instance, not once a frame.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A place beside an instance for whoever reads its pixels. Clones of the instance share it.
///
/// This room puts nothing there and knows nothing of what is there.
#[derive(Clone, Default)]
pub struct Kept(Arc<OnceLock<Box<dyn Any + Send + Sync>>>);

impl Kept {
    /// What is there, which whoever asks first makes; `None` where that was somebody who keeps other things.
    #[must_use]
    pub fn get_or_default<T: Any + Send + Sync + Default>(&self) -> Option<&T> {
        self.0.get_or_init(|| Box::new(T::default())).downcast_ref()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
