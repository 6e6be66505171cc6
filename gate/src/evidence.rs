//! What is known of the source, apart from the results.

use domain::{FrameOfReferenceUid, InstanceIdentity};

/// A source instance: what results may refer to.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceImage {
    /// What it is.
    pub identity: InstanceIdentity,
    /// Number of Frames, where it has that attribute.
    pub frames: Option<u32>,
    /// Centre of the first pixel of each frame, in mm, LPS; empty for images without a place in the patient.
    pub positions_mm: Vec<[f64; 3]>,
}

/// What results are held against.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The source instances.
    pub images: &'a [SourceImage],
    /// Their Frame of Reference, where they have one.
    pub frame_of_reference: Option<&'a FrameOfReferenceUid>,
    /// Columns and Rows of a source frame.
    pub size: [usize; 2],
    /// Whether a code triple (value, scheme, meaning) is one that results may carry.
    pub known_code: &'a (dyn Fn(&str, &str, &str) -> bool + Sync),
}

impl std::fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence")
            .field("images", &self.images.len())
            .field("size", &self.size)
            .finish()
    }
}

impl Evidence<'_> {
    /// The source instance with this UID.
    pub(crate) fn image(&self, sop_instance: &str) -> Option<&SourceImage> {
        self.images.iter().find(|image| image.identity.sop_instance.as_str() == sop_instance)
    }
}
