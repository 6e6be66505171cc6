//! Why results cannot be written.

use domain::UidError;
use thiserror::Error;

/// Findings that cannot become DICOM. Each is a fault of the caller, not of the patient's data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The source series has no instance, or not one slice for each k of its grid.
    #[error("the source series has {slices} slices for a grid of {expected}")]
    SourceIncomplete {
        /// Slices that there are.
        slices: usize,
        /// Slices that the grid has.
        expected: usize,
    },
    /// A mask is not on the grid of the source.
    #[error("segment {label:?}: the mask is of {mask:?} voxels, the source of {source_size:?}")]
    MaskOffGrid {
        /// Segment Label.
        label: String,
        /// Columns, rows, slices of the mask.
        mask: [usize; 3],
        /// Columns, rows, slices of the source.
        source_size: [usize; 3],
    },
    /// A slice of a mask has not one bit a pixel.
    #[error("segment {label:?}, slice {k}: the mask has {bytes} bytes, not {expected}")]
    MaskBytes {
        /// Segment Label.
        label: String,
        /// Slice, from 0.
        k: usize,
        /// Bytes that there are.
        bytes: usize,
        /// Bytes that a slice takes.
        expected: usize,
    },
    /// The probabilities of a segment are not one byte for each pixel of its mask.
    #[error("segment {label:?}: the probabilities do not fit the mask")]
    ProbabilitiesOffGrid {
        /// Segment Label.
        label: String,
    },
    /// A segment without a voxel. What was not found belongs to `Findings::absent`.
    #[error("segment {label:?} is empty")]
    EmptySegment {
        /// Segment Label.
        label: String,
    },
    /// A measurement is infinite or no number.
    #[error("segment {label:?}: a measurement is not finite")]
    NotFinite {
        /// Segment Label.
        label: String,
    },
    /// A count exceeds what the attribute for it can hold.
    #[error("{what}: {count} are too many for DICOM, which can hold {most}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// A derived UID is none; cannot happen unless `domain::derive_uid` changes.
    #[error("a derived UID is none: {0}")]
    Uid(#[from] UidError),
}
