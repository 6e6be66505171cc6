//! A limit on everything, in one place. What happens at each is written beside it.

use std::time::Duration;

/// Every bound of the node. `node.toml` may change those that an operator has reason to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Associations at a time. One more is rejected: transient, local limit exceeded (PS3.8 Table 9-21).
    pub associations_max: usize,
    /// Longest P-DATA-TF that we offer to take, in bytes (PS3.8 §D.1). A longer PDU aborts the association.
    pub pdu_length_max: u32,
    /// Longest data set of one instance, in bytes. A longer one is answered A700.
    pub instance_bytes_max: u64,
    /// Bytes of one instance that routing may look at. Attributes behind them do not exist for rules.
    pub header_bytes_max: usize,
    /// Sequence nesting in any data set. A deeper one is unreadable (C000).
    pub sequence_depth_max: usize,
    /// Instances of a series. A larger series is quarantined: too-large.
    pub series_instances_max: usize,
    /// Voxels of a volume. A larger series is quarantined: too-large.
    pub volume_voxels_max: usize,
    /// Bytes in the spool. At the limit instances are answered A700.
    pub spool_bytes_max: u64,
    /// Bytes that must stay free on the spool's file system. Below it instances are answered A700.
    pub disk_free_bytes_min: u64,
    /// Operations that an association-requestor may have outstanding, if it negotiates that (PS3.7 §D.3.3.3). One more is
    /// not read before one is answered.
    pub operations_max: u16,
    /// References in one request or report of storage commitment. A longer one is answered 0213.
    pub commitment_references_max: usize,
    /// Requests of peers for storage commitment that are not reported on yet. One more is answered 0213.
    pub commitment_requests_max: usize,
    /// References in all of these requests together. What would be beyond it is answered 0213.
    pub commitment_open_references_max: usize,
    /// How often results are delivered again because a destination that is to commit to them does not have them. Then the job is
    /// quarantined: uncommitted.
    pub commitment_redeliveries_max: u32,
    /// Time for A-ASSOCIATE-RQ to arrive and for the peer to close after release (ARTIM, PS3.8 §9.1.5). Then the connection is closed.
    pub artim_timeout: Duration,
    /// Longest pause within a message and between messages of an association. Then it is aborted.
    pub idle_timeout: Duration,
    /// Bytes that must come within [`Limits::idle_timeout`] while a message is under way. When fewer do, the association is
    /// aborted: who sends byte by byte would hold its place for ever.
    pub slow_bytes_min: u64,
    /// A series closes even though its association stays open when nothing came for this long.
    pub association_wait: Duration,
    /// Time for work in hand at shutdown. Then it is left for the next start.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            associations_max: 64,
            pdu_length_max: 131_072,
            instance_bytes_max: 4 << 30,
            header_bytes_max: 65_536,
            sequence_depth_max: 16,
            series_instances_max: 20_000,
            volume_voxels_max: 1 << 29,
            spool_bytes_max: 500 << 30,
            disk_free_bytes_min: 1 << 30,
            operations_max: 16,
            commitment_references_max: 20_000,
            commitment_requests_max: 1_000,
            commitment_open_references_max: 200_000,
            commitment_redeliveries_max: 3,
            artim_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            slow_bytes_min: 16_384,
            association_wait: Duration::from_secs(1_800),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}
