//! Frames of a Segmentation: where each lies, what it shows, what it was made of (PS3.3 §C.7.6.16, §C.7.6.17).

use std::collections::{BTreeMap, BTreeSet};

use dataset::{DataSet, tags};
use domain::Tag;

use crate::evidence::Evidence;
use crate::fault::Faults;
use crate::segmentation::Kind;
use crate::tree::is_code;

/// Positions that differ by less are the same, in mm: what a DS of 16 characters can keep.
const SAME_MM: f64 = 1e-6;

/// Holds all frames against segments, dimensions and source.
pub(crate) fn check_frames(
    set: &DataSet,
    kind: Kind,
    evidence: &Evidence<'_>,
    faults: &mut Faults,
) {
    let frames = set.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let count = set.int(tags::NUMBER_OF_FRAMES).unwrap_or(-1);
    faults.unless(
        usize::try_from(count) == Ok(frames.len()),
        "frame-count",
        "NumberOfFrames",
        || format!("{count}, but {} items", frames.len()),
    );
    check_shared(set, evidence, faults);
    let pointers = pointers(set, faults);
    let wanted = wanted_pointers(kind, evidence);
    faults.unless(pointers == wanted, "dimensions", "DimensionIndexSequence", || {
        format!("{pointers:?}, not {wanted:?}")
    });
    let numbers: BTreeSet<i64> = set
        .items(tags::SEGMENT_SEQUENCE)
        .iter()
        .filter_map(|s| s.int(tags::SEGMENT_NUMBER))
        .collect();
    let mut seen = Seen { pointers, ..Seen::default() };
    for (number, frame) in (1..).zip(frames) {
        let path = format!("PerFrameFunctionalGroupsSequence[{number}]");
        let place = check_source(frame, evidence, &path, faults);
        check_position(frame, place, evidence, &path, faults);
        check_segment(frame, kind, &numbers, &path, faults);
        seen.check(frame, place, &path, faults);
    }
    check_references(set, frames, faults);
}

/// What a place is: which source instance, which of its frames from 0.
type Place = (usize, usize);

/// The dimensions, and which values frames had until now.
#[derive(Debug, Default)]
struct Seen {
    pointers: Vec<Tag>,
    indices: BTreeSet<Vec<u64>>,
    positions: BTreeMap<u64, Place>,
}

fn first(set: &DataSet, sequence: Tag) -> Option<&DataSet> {
    set.items(sequence).first()
}

/// What lies in the patient has measures and an orientation; what does not has neither.
fn check_shared(set: &DataSet, evidence: &Evidence<'_>, faults: &mut Faults) {
    let shared = first(set, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let has = |tag| shared.is_some_and(|shared| !shared.items(tag).is_empty());
    let in_patient = evidence.frame_of_reference.is_some();
    for (tag, name) in [
        (tags::PIXEL_MEASURES_SEQUENCE, "PixelMeasuresSequence"),
        (tags::PLANE_ORIENTATION_SEQUENCE, "PlaneOrientationSequence"),
    ] {
        faults.unless(has(tag) == in_patient, "geometry", name, || {
            "it is there exactly for frames in the patient".into()
        });
    }
    let measures = shared.and_then(|shared| first(shared, tags::PIXEL_MEASURES_SEQUENCE));
    let spacing =
        measures.map(|measures| measures.numbers(tags::PIXEL_SPACING)).unwrap_or_default();
    let is_spacing = spacing.len() == 2 && spacing.iter().all(|mm| *mm > 0.0);
    faults.unless(is_spacing || !in_patient, "geometry", "PixelSpacing", || format!("{spacing:?}"));
    let orientation = shared.and_then(|shared| first(shared, tags::PLANE_ORIENTATION_SEQUENCE));
    let cosines =
        orientation.map(|item| item.numbers(tags::IMAGE_ORIENTATION_PATIENT)).unwrap_or_default();
    faults.unless(cosines.len() == 6 || !in_patient, "geometry", "ImageOrientationPatient", || {
        format!("{} numbers", cosines.len())
    });
}

/// Dimension Index Pointers, in order; their organization must be the one that is declared.
fn pointers(set: &DataSet, faults: &mut Faults) -> Vec<Tag> {
    let organization = first(set, tags::DIMENSION_ORGANIZATION_SEQUENCE)
        .and_then(|item| item.text(tags::DIMENSION_ORGANIZATION_UID));
    let mut pointers = Vec::new();
    for item in set.items(tags::DIMENSION_INDEX_SEQUENCE) {
        let own = item.text(tags::DIMENSION_ORGANIZATION_UID);
        faults.unless(own == organization, "dimensions", "DimensionOrganizationUID", || {
            format!("{own:?}, not {organization:?}")
        });
        pointers.extend(item.get(tags::DIMENSION_INDEX_POINTER).and_then(|element| {
            match &element.value {
                dataset::Value::Bytes(bytes) => match bytes[..] {
                    [a, b, c, d] => {
                        Some(Tag::new(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
                    }
                    _ => None,
                },
                dataset::Value::Items(_) => None,
            }
        }));
    }
    pointers
}

fn wanted_pointers(kind: Kind, evidence: &Evidence<'_>) -> Vec<Tag> {
    let along = if evidence.frame_of_reference.is_some() {
        tags::IMAGE_POSITION_PATIENT
    } else {
        tags::TEMPORAL_POSITION_INDEX
    };
    match kind {
        Kind::Binary | Kind::Fractional => vec![tags::REFERENCED_SEGMENT_NUMBER, along],
        Kind::Labelmap => vec![along],
    }
}

/// Derivation and purpose in the right codes, and an image that exists.
fn check_source(
    frame: &DataSet,
    evidence: &Evidence<'_>,
    path: &str,
    faults: &mut Faults,
) -> Option<Place> {
    let path = format!("{path}.DerivationImageSequence");
    let derivation = first(frame, tags::DERIVATION_IMAGE_SEQUENCE)?;
    let right = is_code(derivation, tags::DERIVATION_CODE_SEQUENCE, ("113076", "DCM"));
    faults.unless(right, "derivation-code", &path, || "not (113076, DCM)".into());
    let source = first(derivation, tags::SOURCE_IMAGE_SEQUENCE)?;
    let right = is_code(source, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, ("121322", "DCM"));
    faults.unless(right, "purpose-code", &path, || "not (121322, DCM)".into());
    let uid = source.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap_or_default();
    let Some(index) =
        evidence.images.iter().position(|image| image.identity.sop_instance.as_str() == uid)
    else {
        faults.add("source-reference", &path, format!("{uid} is no source"));
        return None;
    };
    let image = &evidence.images[index];
    let class = source.text(tags::REFERENCED_SOP_CLASS_UID).unwrap_or_default();
    faults.unless(class == image.identity.sop_class.as_str(), "source-reference", &path, || {
        format!("{uid} is not of class {class}")
    });
    let number = source.int(tags::REFERENCED_FRAME_NUMBER);
    let in_range = match (image.frames, number) {
        (Some(frames), Some(number)) => (1..=i64::from(frames)).contains(&number),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    faults.unless(in_range, "source-frame", &path, || format!("frame {number:?} of {uid}"));
    Some((index, usize::try_from(number.unwrap_or(1) - 1).unwrap_or(0)))
}

/// The position of the source frame, to the last digit that a DS keeps.
fn check_position(
    frame: &DataSet,
    place: Option<Place>,
    evidence: &Evidence<'_>,
    path: &str,
    faults: &mut Faults,
) {
    let path = format!("{path}.PlanePositionSequence");
    let position = first(frame, tags::PLANE_POSITION_SEQUENCE);
    let in_patient = evidence.frame_of_reference.is_some();
    faults.unless(position.is_some() == in_patient, "geometry", &path, || {
        "it is there exactly for frames in the patient".into()
    });
    let (Some(position), Some((image, frame))) = (position, place) else { return };
    let found = position.numbers(tags::IMAGE_POSITION_PATIENT);
    let wanted = evidence.images[image].positions_mm.get(frame);
    let near = wanted.is_some_and(|wanted| {
        found.len() == 3
            && found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < SAME_MM * w.abs().max(1.0))
    });
    faults.unless(near, "position", &path, || format!("{found:?}, its source is at {wanted:?}"));
}

fn check_segment(
    frame: &DataSet,
    kind: Kind,
    numbers: &BTreeSet<i64>,
    path: &str,
    faults: &mut Faults,
) {
    let path = format!("{path}.SegmentIdentificationSequence");
    let number = first(frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE)
        .and_then(|item| item.int(tags::REFERENCED_SEGMENT_NUMBER));
    let fits = match (kind, number) {
        (Kind::Labelmap, None) => true,
        (Kind::Labelmap, Some(_)) | (Kind::Binary | Kind::Fractional, None) => false,
        (Kind::Binary | Kind::Fractional, Some(number)) => numbers.contains(&number),
    };
    faults.unless(fits, "segment-reference", &path, || format!("{number:?} for {kind:?}"));
}

impl Seen {
    /// One value a dimension, from 1; segment values are Segment Numbers; equal position values are equal places.
    fn check(&mut self, frame: &DataSet, place: Option<Place>, path: &str, faults: &mut Faults) {
        let path = format!("{path}.DimensionIndexValues");
        let content = first(frame, tags::FRAME_CONTENT_SEQUENCE);
        let numbers = content.map(|content| content.numbers(tags::DIMENSION_INDEX_VALUES));
        let Some(values) = indices(&numbers.unwrap_or_default(), self.pointers.len()) else {
            faults.add("dimension-values", &path, "not one number from 1 on for each dimension");
            return;
        };
        faults.unless(self.indices.insert(values.clone()), "dimension-values", &path, || {
            format!("{values:?} twice")
        });
        for (pointer, value) in self.pointers.iter().zip(&values) {
            if *pointer == tags::REFERENCED_SEGMENT_NUMBER {
                let number = first(frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE)
                    .and_then(|item| item.int(tags::REFERENCED_SEGMENT_NUMBER));
                let same = number.and_then(|number| u64::try_from(number).ok()) == Some(*value);
                faults.unless(same, "dimension-values", &path, || {
                    format!("{value} for segment {number:?}")
                });
            } else if let Some(place) = place {
                let first = *self.positions.entry(*value).or_insert(place);
                faults.unless(first == place, "dimension-values", &path, || {
                    format!("position {value} is two places")
                });
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 4e9")]
fn indices(values: &[f64], count: usize) -> Option<Vec<u64>> {
    let whole = |value: &f64| value.fract() == 0.0 && (1.0..4e9).contains(value);
    let fit = values.len() == count && values.iter().all(whole);
    fit.then(|| values.iter().map(|value| *value as u64).collect())
}

/// Referenced Series Sequence lists what frames refer to: each once, and nothing else.
fn check_references(set: &DataSet, frames: &[DataSet], faults: &mut Faults) {
    let used: BTreeSet<String> = frames
        .iter()
        .filter_map(|frame| {
            let derivation = first(frame, tags::DERIVATION_IMAGE_SEQUENCE)?;
            first(derivation, tags::SOURCE_IMAGE_SEQUENCE)?.text(tags::REFERENCED_SOP_INSTANCE_UID)
        })
        .collect();
    let listed: Vec<String> = set
        .items(tags::REFERENCED_SERIES_SEQUENCE)
        .iter()
        .flat_map(|series| series.items(tags::REFERENCED_INSTANCE_SEQUENCE))
        .filter_map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID))
        .collect();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    faults.unless(
        once == used && once.len() == listed.len(),
        "references",
        "ReferencedSeriesSequence",
        || format!("{} listed, {} used", listed.len(), used.len()),
    );
}
