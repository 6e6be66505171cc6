//! A Segmentation as a whole (PS3.3 §A.51, §C.8.20.2).

use std::collections::{BTreeMap, BTreeSet};

use dataset::{DataSet, Vr, tags};

use crate::evidence::Evidence;
use crate::fault::Faults;
use crate::frames::check_frames;
use crate::instance::{Instance, Pixels};

/// The segments of all Segmentations of a set: by SOP Instance UID and Segment Number, their Tracking UIDs.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    /// Tracking UIDs.
    pub(crate) tracking: BTreeMap<(String, i64), String>,
    /// Number of Frames of each instance.
    pub(crate) frames: BTreeMap<String, i64>,
}

/// Kinds of Segmentations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Binary,
    Fractional,
    Labelmap,
}

/// Holds a Segmentation against its source.
pub(crate) fn check_segmentation(
    instance: &Instance,
    evidence: &Evidence<'_>,
    segments: &mut Segments,
    faults: &mut Faults,
) {
    let set = &instance.data_set;
    let Some(kind) = kind(set) else { return };
    check_kind(set, kind, faults);
    check_size(set, evidence, faults);
    check_place(set, evidence, faults);
    check_segments(set, kind, segments, faults);
    check_frames(set, kind, evidence, faults);
    check_pixels(instance, faults);
}

fn kind(set: &DataSet) -> Option<Kind> {
    match set.text(tags::SEGMENTATION_TYPE).as_deref() {
        Some("BINARY") => Some(Kind::Binary),
        Some("FRACTIONAL") => Some(Kind::Fractional),
        Some("LABELMAP") => Some(Kind::Labelmap),
        _ => None,
    }
}

/// Bits, class and what belongs to one kind only.
fn check_kind(set: &DataSet, kind: Kind, faults: &mut Faults) {
    let int = |tag| set.int(tag).unwrap_or(-1);
    let bits = int(tags::BITS_ALLOCATED);
    let fits = match kind {
        Kind::Binary => bits == 1,
        Kind::Fractional => bits == 8,
        Kind::Labelmap => bits == 8 || bits == 16,
    };
    let stored = int(tags::BITS_STORED) == bits && int(tags::HIGH_BIT) == bits - 1;
    faults.unless(fits && stored, "bits", "BitsAllocated", || format!("{bits} bits for {kind:?}"));
    let label_map = set.text(tags::SOP_CLASS_UID).is_some_and(|class| class.ends_with(".66.7"));
    faults.unless(label_map == (kind == Kind::Labelmap), "kind-and-class", "SOPClassUID", || {
        format!("{kind:?} in the class of another kind")
    });
    let is_fractional = set.contains(tags::SEGMENTATION_FRACTIONAL_TYPE)
        && set.int(tags::MAXIMUM_FRACTIONAL_VALUE).is_some_and(|most| (1..=255).contains(&most));
    faults.unless(
        is_fractional == (kind == Kind::Fractional),
        "fractional",
        "MaximumFractionalValue",
        || "fractional attributes are there exactly for FRACTIONAL".into(),
    );
    let overlaps = set.text(tags::SEGMENTS_OVERLAP).is_some_and(|overlap| overlap != "NO");
    faults.unless(kind != Kind::Labelmap || !overlaps, "overlap", "SegmentsOverlap", || {
        "segments of a label map cannot overlap".into()
    });
}

fn check_size(set: &DataSet, evidence: &Evidence<'_>, faults: &mut Faults) {
    let extent = |tag| set.int(tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let found = [extent(tags::COLUMNS), extent(tags::ROWS)];
    faults.unless(found == evidence.size, "size", "Rows", || {
        format!("{found:?}, the source has {:?}", evidence.size)
    });
}

/// A Frame of Reference as the source has it; without one, the way the image is turned.
fn check_place(set: &DataSet, evidence: &Evidence<'_>, faults: &mut Faults) {
    let found = set.text(tags::FRAME_OF_REFERENCE_UID);
    let wanted = evidence.frame_of_reference.map(ToString::to_string);
    faults.unless(found == wanted, "frame-of-reference", "FrameOfReferenceUID", || {
        format!("{found:?}, the source has {wanted:?}")
    });
    let turned = wanted.is_some() || set.contains(tags::PATIENT_ORIENTATION);
    faults.unless(turned, "patient-orientation", "PatientOrientation", || {
        "an image without a Frame of Reference must have it, if empty".into()
    });
}

/// Numbers from 1 on without a gap (the last of a label map is 0, the background), and a Tracking UID each.
fn check_segments(set: &DataSet, kind: Kind, segments: &mut Segments, faults: &mut Faults) {
    let instance = set.text(tags::SOP_INSTANCE_UID).unwrap_or_default();
    segments.frames.insert(instance.clone(), set.int(tags::NUMBER_OF_FRAMES).unwrap_or(0));
    let items = set.items(tags::SEGMENT_SEQUENCE);
    let mut uids = BTreeSet::new();
    for (place, item) in (1..).zip(items) {
        let is_background = kind == Kind::Labelmap && place == items.len();
        let wanted = if is_background { 0 } else { i64::try_from(place).unwrap_or(i64::MAX) };
        let path = format!("SegmentSequence[{place}]");
        let number = item.int(tags::SEGMENT_NUMBER).unwrap_or(-1);
        faults.unless(number == wanted, "segment-number", &path, || {
            format!("{number}, not {wanted}")
        });
        let tracking = item.text(tags::TRACKING_UID).unwrap_or_default();
        let is_tracked = !tracking.is_empty() && item.contains(tags::TRACKING_ID);
        faults.unless(is_tracked || number == 0, "tracking", &path, || {
            "no Tracking ID and UID".into()
        });
        if !tracking.is_empty() {
            faults.unless(uids.insert(tracking.clone()), "tracking", &path, || {
                format!("Tracking UID {tracking} twice")
            });
        }
        segments.tracking.insert((instance.clone(), number), tracking);
    }
}

/// Plain, `ceil(Rows × Columns × Frames × Bits / 8)` made even, and the VR for that many bits (PS3.5 §8); in RLE Lossless, as many
/// fragments as frames, each of `Rows × Columns × Bits / 8`.
fn check_pixels(instance: &Instance, faults: &mut Faults) {
    let set = &instance.data_set;
    let count = |tag| set.int(tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let factors = [tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED];
    let bits = factors.into_iter().fold(1_usize, |product, tag| product.saturating_mul(count(tag)));
    let frames = count(tags::NUMBER_OF_FRAMES);
    match &instance.pixels {
        None => faults.add("pixels", "PixelData", "there is none"),
        Some(Pixels::Plain { vr, declared, there }) => {
            let wanted = bits.saturating_mul(frames).div_ceil(8).next_multiple_of(2);
            let fits = *declared == wanted && *there == wanted;
            faults.unless(fits, "pixel-length", "PixelData", || {
                format!("{declared} bytes declared, {there} there, {wanted} needed")
            });
            let fits = (*vr == Vr::OW) == (count(tags::BITS_ALLOCATED) > 8);
            faults.unless(fits, "pixel-representation", "PixelData", || format!("{vr:?}"));
        }
        Some(Pixels::Rle { frame_bytes }) => {
            let fits = frame_bytes.len() == frames && frame_bytes.iter().all(|n| n * 8 == bits);
            faults.unless(fits, "pixel-length", "PixelData", || {
                format!("{} frames, {frames} needed, each of {} bytes", frame_bytes.len(), bits / 8)
            });
        }
    }
}
