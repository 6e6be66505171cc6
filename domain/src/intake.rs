//! The seam between receiving and spooling: `scp` calls it, `node` implements it over `spool`.

use thiserror::Error;

use crate::{
    AssociationId, InstanceIdentity, InstanceOrigin, SharedCommitments, SopClassUid,
    SopInstanceUid, TransferSyntaxUid,
};

/// What a C-STORE-RQ and its presentation context announce before the data set arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Affected SOP Class UID (0000,0002).
    pub sop_class: SopClassUid,
    /// Affected SOP Instance UID (0000,1000).
    pub sop_instance: SopInstanceUid,
    /// Transfer syntax of the presentation context.
    pub transfer_syntax: TransferSyntaxUid,
}

/// Why an instance is not taken. Each is answered with one status (PS3.4 Table B.2-1).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No room on the disk, or a limit of ours is reached: A700, the sender may try again later.
    #[error("out of resources: {0}")]
    OutOfResources(String),
    /// The disk failed: 0110, the sender may try again.
    #[error("processing failure: {0}")]
    ProcessingFailure(String),
}

/// The node's own end of an instance that was stored; called once, from any thread.
pub type Stored = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// How an association ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// The peer asked for release: it has sent what it wanted to send (PS3.8 §7.2).
    Released,
    /// It was aborted, by whomever; the peer may come again with the rest.
    Aborted,
}

/// Takes instances in.
pub trait Intake: Send + Sync + 'static {
    /// Whether there is room at all. Asked before an association is accepted that could store, so that a sender learns at
    /// once that it has to come later; always, by default.
    ///
    /// # Errors
    /// [`Refusal`] when there is none now.
    fn room(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Opens a place for the data set of one instance.
    ///
    /// # Errors
    /// [`Refusal`] when there is no room.
    fn begin(
        &self,
        origin: &InstanceOrigin,
        announced: &Announced,
    ) -> Result<Box<dyn Part>, Refusal>;

    /// Who takes requests and reports of storage commitment; nobody by default.
    fn commitments(&self) -> Option<SharedCommitments> {
        None
    }

    /// Says that an association ended, and how. Called once for every association that was accepted.
    fn association_closed(&self, association: AssociationId, parting: Parting);
}

/// One instance while it arrives. Dropped without [`Part::publish`], it leaves nothing behind.
pub trait Part: Send {
    /// Appends bytes of the data set, as received, in as many pieces as they lie in memory. File meta information is the implementation's business.
    ///
    /// # Errors
    /// [`Refusal`] when the disk or a limit stops it; the part is then useless.
    fn write(&mut self, data_set_bytes: &[&[u8]]) -> Result<(), Refusal>;

    /// Makes the instance durable and visible, then calls `stored` with the outcome.
    ///
    /// `Ok` means: on stable storage, survives loss of power (success means safe).
    fn publish(self: Box<Self>, identity: InstanceIdentity, stored: Stored);
}
