//! What the SCP is told, and what it counts.

use std::sync::atomic::AtomicU64;

use domain::{AeTitle, Limits};

/// Who is welcome, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScpSettings {
    /// Titles by which we may be called; empty: any.
    pub called: Vec<AeTitle>,
    /// Titles that may call us; empty: any.
    pub calling: Vec<AeTitle>,
    /// Bounds; see each for what happens at it.
    pub limits: Limits,
}

/// Running totals, but for `associations_open`, which is a level.
#[derive(Debug, Default)]
pub struct ScpCounters {
    /// Associations that are established now.
    pub associations_open: AtomicU64,
    /// Associations that were accepted.
    pub associations_accepted: AtomicU64,
    /// A-ASSOCIATE-RJ that were sent.
    pub associations_rejected: AtomicU64,
    /// Accepted associations that did not end with a release.
    pub associations_aborted: AtomicU64,
    /// C-STORE-RQ that were answered 0000.
    pub instances_stored: AtomicU64,
    /// C-STORE-RQ that were answered otherwise.
    pub instances_refused: AtomicU64,
    /// Bytes that came over accepted associations, headers included.
    pub bytes_received: AtomicU64,
}
