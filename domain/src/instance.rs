//! SOP Instances on their way in, and the closed series that they make up.

use std::path::PathBuf;

use crate::{
    AeTitle, Moment, Revision, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransferSyntaxUid,
};

/// A number for each association since the node started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssociationId(pub u64);

/// Who sent an instance, to whom, over which association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceOrigin {
    /// The association-requestor's title.
    pub calling: AeTitle,
    /// The title it called us by.
    pub called: AeTitle,
    /// Its network address as `ip:port`.
    pub peer: String,
    /// The association.
    pub association: AssociationId,
}

/// What identifies an instance and how it is encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceIdentity {
    /// Study Instance UID.
    pub study: StudyInstanceUid,
    /// Series Instance UID.
    pub series: SeriesInstanceUid,
    /// SOP Instance UID.
    pub sop_instance: SopInstanceUid,
    /// SOP Class UID.
    pub sop_class: SopClassUid,
    /// The transfer syntax in which it was received and is stored.
    pub transfer_syntax: TransferSyntaxUid,
}

/// An instance on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpooledInstance {
    /// What it is.
    pub identity: InstanceIdentity,
    /// The DICOM file (PS3.10) that holds it.
    pub path: PathBuf,
    /// Length of that file.
    pub file_bytes: u64,
    /// Title of the sender.
    pub calling: AeTitle,
    /// Title that the sender called.
    pub called: AeTitle,
    /// When it became durable.
    pub received_at: Moment,
}

/// A closed series: at least one instance, in order of SOP Instance UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Study Instance UID.
    pub study: StudyInstanceUid,
    /// Series Instance UID.
    pub series: SeriesInstanceUid,
    /// 1 when it closed for the first time; each late instance opens the next.
    pub revision: Revision,
    instances: Vec<SpooledInstance>,
}

impl Series {
    /// A closed series; `None` when there is no instance.
    #[must_use]
    pub fn new(revision: Revision, mut instances: Vec<SpooledInstance>) -> Option<Self> {
        instances.sort_by(|a, b| a.identity.sop_instance.cmp(&b.identity.sop_instance));
        let first = instances.first()?.identity.clone();
        Some(Self { study: first.study, series: first.series, revision, instances })
    }

    /// The instances, never empty.
    #[must_use]
    pub fn instances(&self) -> &[SpooledInstance] {
        &self.instances
    }
}
