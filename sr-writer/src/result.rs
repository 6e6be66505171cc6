//! The instances that come out.

use std::fmt;

use domain::InstanceIdentity;

/// What an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// Segmentation Storage.
    Segmentation,
    /// Comprehensive 3D SR Storage.
    Report,
}

/// One instance.
#[derive(Clone, PartialEq, Eq)]
pub struct ResultInstance {
    /// What it is.
    pub kind: ResultKind,
    /// Its UIDs; the transfer syntax is Explicit VR Little Endian.
    pub identity: InstanceIdentity,
    /// The whole DICOM file (PS3.10).
    pub file: Vec<u8>,
}

/// Patients are in the bytes, so only their number is shown.
impl fmt::Debug for ResultInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultInstance")
            .field("kind", &self.kind)
            .field("identity", &self.identity)
            .field("file_bytes", &self.file.len())
            .finish()
    }
}

/// All instances of one answer of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultSet {
    /// The masks; `None` when nothing was found.
    pub segmentation: Option<ResultInstance>,
    /// The report.
    pub report: ResultInstance,
}

impl ResultSet {
    /// The instances in the order in which they are sent: what is referred to comes first.
    pub fn instances(&self) -> impl Iterator<Item = &ResultInstance> {
        self.segmentation.iter().chain([&self.report])
    }
}
