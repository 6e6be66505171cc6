//! When an instance counts as stored.

/// What must be true before a C-STORE-RQ is answered 0000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The instance is on stable storage: it survives loss of power.
    #[default]
    Disk,
    /// The system has the instance, as with other receivers: it survives the end of the node, and not loss of power.
    Cache,
}

impl Durability {
    /// The word for it in the configuration, in the log and in `status`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Cache => "cache",
        }
    }
}
