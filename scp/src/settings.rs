//! What the SCP is told, and what it counts.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::{AeTitle, Allowance, Identities, Limits, PeerTable};

/// Who is welcome, and how much.
#[derive(Debug, Clone)]
pub struct ScpSettings {
    /// Titles by which we may be called; empty: any.
    pub called: Vec<AeTitle>,
    /// Titles that may call us; empty: any.
    pub calling: Vec<AeTitle>,
    /// Who may what; empty: everybody, as [`ScpSettings::everyone`] says.
    pub peers: PeerTable,
    /// What may who comes while there is no table.
    pub everyone: Allowance,
    /// Who checks user identities, where some are asked for.
    pub identities: Option<Arc<dyn Identities>>,
    /// Bounds; see each for what happens at it.
    pub limits: Limits,
}

impl ScpSettings {
    /// Everybody may everything within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            called: vec![],
            calling: vec![],
            peers: PeerTable::default(),
            everyone: Allowance::default(),
            identities: None,
            limits,
        }
    }
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
    /// Connections to the secure port that did not become TLS.
    pub handshakes_failed: AtomicU64,
    /// Accepted associations that did not end with a release.
    pub associations_aborted: AtomicU64,
    /// C-STORE-RQ that were answered 0000.
    pub instances_stored: AtomicU64,
    /// C-STORE-RQ that were answered otherwise.
    pub instances_refused: AtomicU64,
    /// Bytes that came over accepted associations, headers included.
    pub bytes_received: AtomicU64,
}
