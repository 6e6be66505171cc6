//! In which form masks are written.

use std::fmt;
use std::num::NonZeroUsize;

/// Segmentation Type (0062,0001), PS3.3 §C.8.20.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentationKind {
    /// One bit a pixel, one frame a segment and slice. Segments may overlap. Every viewer reads it.
    #[default]
    Binary,
    /// The probability of each pixel in eight bits; of segments without probabilities, 0 and 255.
    Fractional,
    /// The number of the segment in each pixel, one frame a slice. Segments must not overlap.
    Labelmap,
}

impl SegmentationKind {
    /// The value of Segmentation Type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "BINARY",
            Self::Fractional => "FRACTIONAL",
            Self::Labelmap => "LABELMAP",
        }
    }
}

impl fmt::Display for SegmentationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a destination wants of a Segmentation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentationForm {
    /// The kind. Where segments overlap, LABELMAP cannot say so and BINARY is written in its place.
    pub kind: SegmentationKind,
    /// Most frames of one instance, for viewers that cannot hold more. Whole segments are put together as long as they fit;
    /// a segment that has more frames by itself is an instance by itself. A LABELMAP that had more is written as BINARY.
    pub frames_max: Option<NonZeroUsize>,
    /// Whether slices without a voxel of a segment have a frame, too.
    pub keep_empty_frames: bool,
}

impl SegmentationForm {
    /// The form as a part of derived UIDs: other forms of the same findings are other instances. Empty for the default.
    pub(crate) fn role(self) -> String {
        let mut role = match self.kind {
            SegmentationKind::Binary => String::new(),
            SegmentationKind::Fractional | SegmentationKind::Labelmap => format!(" {}", self.kind),
        };
        if let Some(most) = self.frames_max {
            role += &format!(" frames {most}");
        }
        if self.keep_empty_frames {
            role += " with empty frames";
        }
        role
    }
}
