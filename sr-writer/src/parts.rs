//! Which segments are in which Segmentation, and in which form: one instance, or several where frames are capped.

use std::num::NonZeroUsize;
use std::ops::Range;

use dicom_dictionary_std::uids::{LABEL_MAP_SEGMENTATION_STORAGE, SEGMENTATION_STORAGE};
use domain::{Findings, InstanceIdentity, SliceMask, SopClassUid};
use series::SourceSeries;

use rayon::prelude::*;

use crate::iod::{rle_syntax, transfer_syntax};
use crate::uids::ResultUids;
use crate::{LabelMapCoding, SegmentationForm, SegmentationKind, WriteError};

/// The form in which findings are written when `form` is asked for.
///
/// Overlapping segments, more segments than 16 bits can number and more frames than are wanted make LABELMAP BINARY; a cap
/// that splits nothing is none. Two forms that come out the same give the same instances.
#[must_use]
pub fn effective_form(findings: &Findings, form: SegmentationForm) -> SegmentationForm {
    form_without_overlap(findings, form, || overlap(findings))
}

/// The same by somebody who knows, or finds out only if need be, whether segments overlap.
pub(crate) fn form_without_overlap(
    findings: &Findings,
    form: SegmentationForm,
    overlap: impl FnOnce() -> bool,
) -> SegmentationForm {
    let mut form = form;
    if form.kind == SegmentationKind::Labelmap {
        let frames = label_frames(findings, form.keep_empty_frames);
        let too_many = form.frames_max.is_some_and(|most| frames > most.get());
        if too_many || overlap() {
            form.kind = SegmentationKind::Binary;
        }
    }
    if ranges(findings, form).len() <= 1 {
        form.frames_max = None;
    }
    form
}

/// The Segmentations of one answer.
#[derive(Debug)]
pub(crate) struct Parts(Vec<Part>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Part {
    /// Which instance.
    pub(crate) identity: InstanceIdentity,
    /// Which segments of the findings are in it; Segment Numbers count from 1 in each.
    pub(crate) segments: Range<usize>,
}

impl Parts {
    pub(crate) fn new(
        source: &SourceSeries,
        findings: &Findings,
        form: SegmentationForm,
        label_maps: LabelMapCoding,
        uids: &ResultUids,
    ) -> Result<Self, WriteError> {
        let (sop_class, syntax) = match (form.kind, label_maps) {
            (SegmentationKind::Binary | SegmentationKind::Fractional, _) => {
                (SEGMENTATION_STORAGE, transfer_syntax()?)
            }
            (SegmentationKind::Labelmap, LabelMapCoding::Plain) => {
                (LABEL_MAP_SEGMENTATION_STORAGE, transfer_syntax()?)
            }
            (SegmentationKind::Labelmap, LabelMapCoding::Rle) => {
                (LABEL_MAP_SEGMENTATION_STORAGE, rle_syntax()?)
            }
        };
        let part = |(part, segments): (usize, Range<usize>)| {
            check_count(segments.len())?;
            let identity = InstanceIdentity {
                study: source.study.clone(),
                series: uids.segmentation_series()?,
                sop_instance: uids.segmentation(part)?,
                sop_class: SopClassUid::parse(sop_class)?,
                transfer_syntax: syntax.clone(),
            };
            Ok(Part { identity, segments })
        };
        ranges(findings, form).into_iter().enumerate().map(part).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Part> {
        self.0.iter()
    }

    /// The instances, in order.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &InstanceIdentity> {
        self.0.iter().map(|part| &part.identity)
    }

    /// The instance that has segment `index` of the findings, and its Segment Number there.
    ///
    /// # Panics
    /// When there is no such segment.
    pub(crate) fn of_segment(&self, index: usize) -> (&InstanceIdentity, u16) {
        let place = self.0.partition_point(|part| part.segments.end <= index);
        let part = &self.0[place];
        let number = index - part.segments.start + 1;
        (&part.identity, u16::try_from(number).unwrap_or(u16::MAX))
    }
}

/// Segment Number is a 16-bit number.
fn check_count(count: usize) -> Result<(), WriteError> {
    let most = usize::from(u16::MAX);
    if count > most {
        return Err(WriteError::TooMany { what: "segments", count, most });
    }
    Ok(())
}

/// Whole segments together, as long as their frames fit.
fn ranges(findings: &Findings, form: SegmentationForm) -> Vec<Range<usize>> {
    let count = findings.segments.len();
    if count == 0 {
        return Vec::new();
    }
    let most = match form.kind {
        SegmentationKind::Labelmap => None,
        SegmentationKind::Binary | SegmentationKind::Fractional => form.frames_max,
    };
    let most = most.map_or(usize::MAX, NonZeroUsize::get);
    let (mut ranges, mut first, mut frames) = (Vec::new(), 0, 0_usize);
    for index in 0..count {
        let own = frames_of(findings, index, form);
        if index > first && frames.saturating_add(own) > most {
            ranges.push(first..index);
            (first, frames) = (index, 0);
        }
        frames = frames.saturating_add(own);
    }
    ranges.push(first..count);
    ranges
}

/// Whether a segment has a frame for slice `k`.
pub(crate) fn has_frame(
    findings: &Findings,
    index: usize,
    k: usize,
    form: SegmentationForm,
) -> bool {
    let segment = &findings.segments[index];
    let of_kind = match (form.kind, &segment.probabilities) {
        (SegmentationKind::Fractional, Some(probabilities)) => probabilities.slices[k].is_some(),
        (
            SegmentationKind::Fractional | SegmentationKind::Binary | SegmentationKind::Labelmap,
            _,
        ) => segment.mask.slices[k].is_some(),
    };
    of_kind || form.keep_empty_frames
}

fn frames_of(findings: &Findings, index: usize, form: SegmentationForm) -> usize {
    let slices = findings.segments[index].mask.slices.len();
    (0..slices).filter(|k| has_frame(findings, index, *k, form)).count()
}

fn label_frames(findings: &Findings, keep_empty: bool) -> usize {
    let slices = findings.segments.first().map_or(0, |segment| segment.mask.slices.len());
    let used = |k: &usize| findings.segments.iter().any(|s| s.mask.slices[*k].is_some());
    (0..slices).filter(|k| keep_empty || used(k)).count()
}

/// Whether any voxel belongs to more than one segment; slices are looked at side by side.
pub(crate) fn overlap(findings: &Findings) -> bool {
    let slices = findings.segments.first().map_or(0, |segment| segment.mask.slices.len());
    (0..slices).into_par_iter().any(|k| {
        let masks = findings.segments.iter().filter_map(|segment| segment.mask.slices[k].as_ref());
        overlap_in_slice(masks)
    })
}

fn overlap_in_slice<'a>(masks: impl Iterator<Item = &'a SliceMask>) -> bool {
    let mut taken: Vec<u8> = Vec::new();
    for mask in masks {
        if taken.is_empty() {
            taken.clone_from(&mask.bits);
            continue;
        }
        let mut shared = 0;
        for (taken, bits) in taken.iter_mut().zip(&mask.bits) {
            shared |= *taken & bits;
            *taken |= bits;
        }
        if shared != 0 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(pixels: &[bool]) -> SliceMask {
        SliceMask::from_pixels(pixels).unwrap()
    }

    #[test]
    fn overlap_is_found_among_any_two() {
        let (a, b) = (mask(&[true, false, false]), mask(&[false, true, false]));
        let c = mask(&[false, true, true]);
        assert!(!overlap_in_slice([&a, &b].into_iter()));
        assert!(overlap_in_slice([&a, &b, &c].into_iter()));
        assert!(!overlap_in_slice([&a, &c].into_iter()));
        assert!(!overlap_in_slice([].into_iter()));
    }
}
