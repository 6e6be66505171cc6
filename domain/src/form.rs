//! In which form results are written, and what destinations wish for.

use std::fmt;
use std::num::NonZeroUsize;

use crate::TransferSyntaxUid;

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

/// How masks are written.
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

/// The form in words: a key for ledgers, and a part of derived UIDs, because other forms are other instances.
impl fmt::Display for SegmentationForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(most) = self.frames_max {
            write!(f, ", at most {most} frames")?;
        }
        if self.keep_empty_frames {
            f.write_str(", with empty frames")?;
        }
        Ok(())
    }
}

/// What lies beside SEG and SR, for viewers that show neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Companions {
    /// A Key Object Selection that lists the results and the images that show them best.
    pub key_objects: bool,
    /// Secondary Captures: masks drawn on chosen slices.
    pub secondary_capture: bool,
    /// A presentation state: outlines over the source images.
    pub presentation_state: bool,
    /// A Key Object Selection that rejects the results of an earlier revision, where there was one (IHE IOCM).
    pub rejection_note: bool,
}

impl Companions {
    /// What either wants.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            key_objects: self.key_objects || other.key_objects,
            secondary_capture: self.secondary_capture || other.secondary_capture,
            presentation_state: self.presentation_state || other.presentation_state,
            rejection_note: self.rejection_note || other.rejection_note,
        }
    }
}

/// What a destination wants of results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Kinds of Segmentations, best first. What is not accepted is passed over; BINARY comes after all of them.
    pub kinds: Vec<SegmentationKind>,
    /// As in [`SegmentationForm`].
    pub frames_max: Option<NonZeroUsize>,
    /// As in [`SegmentationForm`].
    pub keep_empty_frames: bool,
    /// What is to lie beside SEG and SR.
    pub companions: Companions,
    /// Transfer syntaxes, best first. After all of them come Explicit and Implicit VR Little Endian.
    pub transfer_syntaxes: Vec<TransferSyntaxUid>,
}

impl Wishes {
    /// The forms that the destination may get, best first.
    #[must_use]
    pub fn forms(&self) -> Vec<SegmentationForm> {
        let mut forms = Vec::new();
        for kind in self.kinds.iter().copied().chain([SegmentationKind::Binary]) {
            let form = SegmentationForm {
                kind,
                frames_max: self.frames_max,
                keep_empty_frames: self.keep_empty_frames,
            };
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_is_what_everybody_gets_in_the_end() {
        let kinds = |wanted: &[SegmentationKind]| -> Vec<String> {
            let wishes = Wishes { kinds: wanted.to_vec(), ..Wishes::default() };
            wishes.forms().iter().map(ToString::to_string).collect()
        };
        assert_eq!(kinds(&[]), ["BINARY"]);
        assert_eq!(kinds(&[SegmentationKind::Labelmap]), ["LABELMAP", "BINARY"]);
        let both = [SegmentationKind::Binary, SegmentationKind::Fractional];
        assert_eq!(kinds(&both), ["BINARY", "FRACTIONAL"]);
        let capped = SegmentationForm {
            frames_max: NonZeroUsize::new(9),
            keep_empty_frames: true,
            ..SegmentationForm::default()
        };
        assert_eq!(capped.to_string(), "BINARY, at most 9 frames, with empty frames");
    }
}
