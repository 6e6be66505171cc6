//! Whether a model looks at the slices beside the one that it is asked about.

use crate::manifest::Generation;
use crate::model::Model;

impl Model {
    /// Whether a slice can only be answered when the slices before and behind it are known: promptable models of the second
    /// generation. The others take slices in any order.
    #[must_use]
    pub fn looks_at_neighbours(&self) -> bool {
        self.manifest().prompting().is_ok_and(|spec| spec.generation == Generation::V2)
    }
}
