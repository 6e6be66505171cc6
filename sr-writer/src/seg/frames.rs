//! Which frames a Segmentation has, and in which order.

use std::collections::BTreeMap;

use domain::Findings;

/// One frame: a segment in a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Which segment, from 0.
    pub(crate) segment_index: usize,
    /// Slice of the source grid, from 0.
    pub(crate) k: usize,
    /// Which of the positions that occur, from 1 along the normal: its Dimension Index Value.
    pub(crate) position_number: usize,
}

/// The frames: by segment, then by position; none is empty.
#[derive(Debug)]
pub(crate) struct Frames {
    frames: Vec<Frame>,
    position_numbers: BTreeMap<usize, usize>,
}

impl Frames {
    /// The frames of all slices that have a voxel of a segment.
    pub(crate) fn of(findings: &Findings) -> Self {
        let used = |segment_index: usize| {
            let slices = findings.segments[segment_index].mask.slices.iter().enumerate();
            slices.filter(|(_, slice)| slice.is_some()).map(|(k, _)| k)
        };
        let segments = 0..findings.segments.len();
        let mut position_numbers: BTreeMap<usize, usize> =
            segments.clone().flat_map(used).map(|k| (k, 0)).collect();
        for (number, value) in (1..).zip(position_numbers.values_mut()) {
            *value = number;
        }
        let frame = |segment_index, k| Frame {
            segment_index,
            k,
            position_number: position_numbers.get(&k).copied().unwrap_or(0),
        };
        let frames = segments
            .flat_map(|index| used(index).map(move |k| (index, k)))
            .map(|(s, k)| frame(s, k))
            .collect();
        Self { frames, position_numbers }
    }

    /// The frames in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Frame> {
        self.frames.iter()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.frames.len()
    }

    /// The slices that occur, along the normal.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.position_numbers.keys().copied()
    }
}
