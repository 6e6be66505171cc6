//! The instances that come out.

use std::fmt;

use domain::InstanceIdentity;

/// What an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// Segmentation Storage, or Label Map Segmentation Storage.
    Segmentation,
    /// Comprehensive 3D SR Storage.
    Report,
    /// Key Object Selection Document Storage: what belongs together.
    KeyObjects,
    /// Key Object Selection Document Storage: which earlier results are not to be used any more.
    RejectionNote,
    /// Secondary Capture: masks drawn on chosen slices.
    SecondaryCapture,
    /// Softcopy presentation state: outlines over the source images.
    PresentationState,
}

impl ResultKind {
    /// A word for logs, ledgers and file names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Report => "report",
            Self::KeyObjects => "key-objects",
            Self::RejectionNote => "rejection-note",
            Self::SecondaryCapture => "secondary-capture",
            Self::PresentationState => "presentation-state",
        }
    }
}

/// One instance.
#[derive(Clone, PartialEq, Eq)]
pub struct ResultInstance {
    /// What it is.
    pub kind: ResultKind,
    /// Its UIDs; the transfer syntax is Explicit VR Little Endian, or RLE Lossless of a label map that was wanted so.
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
    /// The masks; empty when nothing was found, several when a frame cap splits them.
    pub segmentations: Vec<ResultInstance>,
    /// The report.
    pub report: ResultInstance,
    /// What a destination wants beside them, for viewers that read neither.
    pub companions: Vec<ResultInstance>,
}

impl ResultSet {
    /// The instances in the order in which they are sent: what is referred to comes first.
    pub fn instances(&self) -> impl Iterator<Item = &ResultInstance> {
        self.segmentations.iter().chain([&self.report]).chain(&self.companions)
    }
}
