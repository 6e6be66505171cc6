//! Storage commitment (PS3.4 Annex J): who keeps what, as asked and as reported; and the seam between receiving and the
//! ledger for it.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::{InstanceOrigin, SopClassUid, SopInstanceUid, TransactionUid};

/// An instance by its class and its UID: an item of Referenced SOP Sequence (0008,1199).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceReference {
    /// Referenced SOP Class UID (0008,1150).
    pub sop_class: SopClassUid,
    /// Referenced SOP Instance UID (0008,1155).
    pub sop_instance: SopInstanceUid,
}

/// N-ACTION information: "will you keep these?" (PS3.4 Table J.3-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentRequest {
    /// Transaction UID (0008,1195).
    pub transaction: TransactionUid,
    /// The instances; at least one.
    pub references: Vec<InstanceReference>,
}

/// N-EVENT-REPORT information: "these I keep, those I do not" (PS3.4 Table J.3-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentReport {
    /// Transaction UID (0008,1195) of the request.
    pub transaction: TransactionUid,
    /// What is kept: Referenced SOP Sequence (0008,1199).
    pub committed: Vec<InstanceReference>,
    /// What is not, and why: Failed SOP Sequence (0008,1198).
    pub failed: Vec<(InstanceReference, FailureReason)>,
}

/// Failure Reason (0008,1197; PS3.3 §C.14.1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailureReason(pub u16);

/// What helps against a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// It passes: asking again later.
    AskAgain,
    /// The archive does not have it: delivering it again, then asking again.
    DeliverAgain,
    /// Nothing that we could do.
    Nothing,
}

impl FailureReason {
    /// 0110H.
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// 0112H.
    pub const NO_SUCH_OBJECT_INSTANCE: Self = Self(0x0112);
    /// 0119H.
    pub const CLASS_INSTANCE_CONFLICT: Self = Self(0x0119);
    /// 0122H.
    pub const SOP_CLASS_NOT_SUPPORTED: Self = Self(0x0122);
    /// 0131H.
    pub const DUPLICATE_TRANSACTION_UID: Self = Self(0x0131);
    /// 0213H.
    pub const RESOURCE_LIMITATION: Self = Self(0x0213);

    /// What to do when an archive gives this reason. One that the standard does not have is final.
    #[must_use]
    pub fn remedy(self) -> Remedy {
        match self {
            Self::PROCESSING_FAILURE
            | Self::RESOURCE_LIMITATION
            | Self::DUPLICATE_TRANSACTION_UID => Remedy::AskAgain,
            Self::NO_SUCH_OBJECT_INSTANCE => Remedy::DeliverAgain,
            Self(_) => Remedy::Nothing,
        }
    }

    /// Its meaning, in the words of the standard.
    fn meaning(self) -> Option<&'static str> {
        match self {
            Self::PROCESSING_FAILURE => Some("processing failure"),
            Self::NO_SUCH_OBJECT_INSTANCE => Some("no such object instance"),
            Self::CLASS_INSTANCE_CONFLICT => Some("class/instance conflict"),
            Self::SOP_CLASS_NOT_SUPPORTED => Some("referenced SOP Class not supported"),
            Self::DUPLICATE_TRANSACTION_UID => Some("duplicate Transaction UID"),
            Self::RESOURCE_LIMITATION => Some("resource limitation"),
            Self(_) => None,
        }
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{:04X} ({meaning})", self.0),
            None => write!(f, "{:04X}", self.0),
        }
    }
}

impl fmt::Debug for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What peers may do about storage commitment with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitmentRoles {
    /// They may ask us (N-ACTION): we are SCP.
    pub may_ask: bool,
    /// They may report on what we asked (N-EVENT-REPORT): we are SCU.
    pub may_report: bool,
}

impl CommitmentRoles {
    /// Whether the SOP class is offered at all.
    #[must_use]
    pub fn any(self) -> bool {
        self.may_ask || self.may_report
    }
}

/// The ledger's number of a request of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub i64);

/// Why a request or a report is not taken. Each is answered with one status (PS3.7 Annex C).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitmentRefusal {
    /// We asked nothing under this Transaction UID: 0115.
    #[error("the Transaction UID is not known")]
    UnknownTransaction,
    /// The peer is not the one that we asked: 0124.
    #[error("{0} is not who was asked")]
    NotAsked(String),
    /// A limit of ours is reached: 0213.
    #[error("resource limitation: {0}")]
    ResourceLimitation(String),
    /// The ledger failed: 0110.
    #[error("processing failure: {0}")]
    ProcessingFailure(String),
}

/// Takes requests and reports of peers: `scp` calls it, `node` implements it over `spool`. Every method may wait for the
/// disk.
pub trait Commitments: Send + Sync + 'static {
    /// What peers may do.
    fn roles(&self) -> CommitmentRoles;

    /// A peer asks. `Ok`: the request is on stable storage, and will be reported on.
    ///
    /// # Errors
    /// [`CommitmentRefusal`] when it is not taken.
    fn ask(
        &self,
        origin: &InstanceOrigin,
        request: &CommitmentRequest,
    ) -> Result<RequestId, CommitmentRefusal>;

    /// The report on a request, if it is still owed, to be given over the association that it was asked over. Until
    /// [`Commitments::told`] or [`Commitments::left`], at most for a while, nobody else gives it.
    fn report(&self, request: RequestId) -> Option<CommitmentReport>;

    /// The peer has taken the report that [`Commitments::report`] gave.
    fn told(&self, request: RequestId, report: &CommitmentReport);

    /// The association over which a peer asked has ended, or the peer did not take the report over it.
    fn left(&self, request: RequestId);

    /// A peer reports on what we asked. `Ok`: that is on stable storage.
    ///
    /// # Errors
    /// [`CommitmentRefusal`] when it is not taken.
    fn reported(
        &self,
        origin: &InstanceOrigin,
        report: &CommitmentReport,
    ) -> Result<(), CommitmentRefusal>;
}

/// Shared by all associations.
pub type SharedCommitments = Arc<dyn Commitments>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_their_words_and_what_helps() {
        // PS3.3 §C.14.1.1, cell by cell.
        let table = [
            (0x0110, "0110 (processing failure)", Remedy::AskAgain),
            (0x0112, "0112 (no such object instance)", Remedy::DeliverAgain),
            (0x0213, "0213 (resource limitation)", Remedy::AskAgain),
            (0x0122, "0122 (referenced SOP Class not supported)", Remedy::Nothing),
            (0x0119, "0119 (class/instance conflict)", Remedy::Nothing),
            (0x0131, "0131 (duplicate Transaction UID)", Remedy::AskAgain),
            (0x4711, "4711", Remedy::Nothing),
        ];
        for (code, words, remedy) in table {
            let reason = FailureReason(code);
            assert_eq!((reason.to_string().as_str(), reason.remedy()), (words, remedy));
        }
    }

    #[test]
    fn of_several_remedies_the_strongest_is_the_greatest() {
        assert!(Remedy::AskAgain < Remedy::DeliverAgain && Remedy::DeliverAgain < Remedy::Nothing);
    }
}
