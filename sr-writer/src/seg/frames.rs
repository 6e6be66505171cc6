//! Which frames a Segmentation has, and in which order.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::SegmentationKind;
use crate::parts::{Part, has_frame};
use crate::work::Work;

/// One frame: a segment in a slice, or of a label map a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Which segment of the findings; `None` for all of them.
    pub(crate) segment_index: Option<usize>,
    /// Slice of the source grid, from 0.
    pub(crate) k: usize,
    /// Which of the positions that occur, from 1 along the normal: its Dimension Index Value.
    pub(crate) position_number: usize,
}

/// The frames: by segment, then by position.
#[derive(Debug)]
pub(crate) struct Frames {
    frames: Vec<Frame>,
    position_numbers: BTreeMap<usize, usize>,
    /// Which segments of the findings they are of.
    pub(crate) segments: Range<usize>,
}

impl Frames {
    /// The frames of one Segmentation: of all slices that have a voxel of a segment, or of all there are.
    pub(crate) fn of(work: &Work<'_>, part: &Part) -> Self {
        let slices = work.source.grid.size()[2];
        let used = |index: usize| {
            (0..slices).filter(move |k| has_frame(work.findings, index, *k, work.form))
        };
        let segments = part.segments.clone();
        let mut position_numbers: BTreeMap<usize, usize> =
            segments.clone().flat_map(used).map(|k| (k, 0)).collect();
        for (number, value) in (1..).zip(position_numbers.values_mut()) {
            *value = number;
        }
        let frame = |segment_index, k: usize| Frame {
            segment_index,
            k,
            position_number: position_numbers.get(&k).copied().unwrap_or(0),
        };
        let frames = match work.form.kind {
            SegmentationKind::Labelmap => {
                position_numbers.keys().map(|k| frame(None, *k)).collect()
            }
            SegmentationKind::Binary | SegmentationKind::Fractional => {
                let pairs = segments.clone().flat_map(|index| used(index).map(move |k| (index, k)));
                pairs.map(|(index, k)| frame(Some(index), k)).collect()
            }
        };
        Self { frames, position_numbers, segments }
    }

    /// The frames in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Frame> {
        self.frames.iter()
    }

    /// The frames in order.
    pub(crate) fn as_slice(&self) -> &[Frame] {
        &self.frames
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.frames.len()
    }

    /// The slices that occur, along the normal.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.position_numbers.keys().copied()
    }

    /// The Segment Number of a frame's segment, from 1 in this Segmentation.
    pub(crate) fn segment_number(&self, frame: &Frame) -> Option<usize> {
        frame.segment_index.map(|index| index - self.segments.start + 1)
    }

    /// Whether the slices that occur are neighbours all along.
    pub(crate) fn are_contiguous(&self) -> bool {
        let positions = || self.position_numbers.keys();
        positions().zip(positions().skip(1)).all(|(a, b)| a + 1 == *b)
    }
}
