//! Measurement groups: TID 1410 and TID 1411 (PS3.16).

use dataset::{DataSet, Value, tags};

use crate::evidence::Evidence;
use crate::fault::Faults;
use crate::report::{check_row, check_template};
use crate::segmentation::Segments;
use crate::tree::{Name, code, is_code, named, value_type};

const SEGMENT: Name = ("121191", "DCM");
const SEGMENT_FRAME: Name = ("121214", "DCM");
const REGION: Name = ("111030", "DCM");
const SOURCE_SERIES: Name = ("121232", "DCM");
const SOURCE_IMAGE: Name = ("121233", "DCM");
const LATERALITY: Name = ("272741003", "SCT");

/// Sides (CID 244).
const SIDES: [&str; 4] = ["7771000", "24028007", "51440002", "66459002"];

/// Units (UCUM) that a measurement may have.
const UNITS: &[(Name, &[&str])] = &[
    (("118565006", "SCT"), &["cm3", "mm3"]),
    (("42798000", "SCT"), &["mm2", "{pixels}"]),
    (("C0JK", "IBSI"), &["mm2"]),
    (("L0JK", "IBSI"), &["mm"]),
    (("103339001", "SCT"), &["mm"]),
    (("103340004", "SCT"), &["mm"]),
    (("103355008", "SCT"), &["mm", "{pixels}"]),
    (("121207", "DCM"), &["mm", "{pixels}"]),
    (("131197000", "SCT"), &["mm"]),
    (("111012", "DCM"), &["%"]),
    (("112031", "DCM"), &["[hnsf'U]", "1"]),
    (("110852", "DCM"), &["1"]),
    (("110821", "DCM"), &["1"]),
    (("110849", "DCM"), &["1"]),
];

/// Holds a group against its template; gives its Tracking UID.
pub(crate) fn check_group(
    group: &DataSet,
    evidence: &Evidence<'_>,
    segments: &Segments,
    path: &str,
    faults: &mut Faults,
) -> Option<String> {
    let of = |name| named(group, name).map(|(_, item)| item).collect::<Vec<_>>();
    let (whole, frames, regions) = (of(SEGMENT), of(SEGMENT_FRAME), of(REGION));
    let template = if whole.is_empty() { "1410" } else { "1411" };
    check_template(group, template, path, faults);
    for (name, kind, how) in [
        (("112039", "DCM"), "TEXT", "HAS OBS CONTEXT"),
        (("112040", "DCM"), "UIDREF", "HAS OBS CONTEXT"),
        (("276214006", "SCT"), "CODE", "CONTAINS"),
        (("121071", "DCM"), "CODE", "CONTAINS"),
    ] {
        check_row(group, (name, kind, how), path, faults);
    }
    let count = whole.len() + frames.len() + regions.len();
    faults.unless(count == 1, "region", path, || format!("{count} regions, not one"));
    let tracking = of(("112040", "DCM")).first().and_then(|item| item.text(tags::UID));
    for item in &whole {
        check_segment(item, tracking.as_deref(), segments, path, faults);
        check_source_series(group, evidence, path, faults);
    }
    for item in &frames {
        check_frame(item, segments, path, faults);
        check_row(group, (SOURCE_IMAGE, "IMAGE", "CONTAINS"), path, faults);
    }
    for item in &regions {
        check_polyline(item, evidence, path, faults);
    }
    check_site(group, path, faults);
    check_numbers(group, path, faults);
    tracking
}

/// A segment that exists, and has the same Tracking UID.
fn check_segment(
    item: &DataSet,
    tracking: Option<&str>,
    segments: &Segments,
    path: &str,
    faults: &mut Faults,
) {
    let reference = item.items(tags::REFERENCED_SOP_SEQUENCE).first();
    let uid = reference.and_then(|r| r.text(tags::REFERENCED_SOP_INSTANCE_UID)).unwrap_or_default();
    let number = reference.and_then(|r| r.int(tags::REFERENCED_SEGMENT_NUMBER));
    let Some(number) = number else {
        faults.add("segment-number", path, "the reference names no segment");
        return;
    };
    match segments.tracking.get(&(uid.clone(), number)) {
        None => faults.add("segment-reference", path, format!("segment {number} of {uid} is none")),
        Some(wanted) => faults.unless(tracking == Some(wanted.as_str()), "tracking", path, || {
            format!("{tracking:?}, the segment has {wanted}")
        }),
    }
}

fn check_source_series(group: &DataSet, evidence: &Evidence<'_>, path: &str, faults: &mut Faults) {
    check_row(group, (SOURCE_SERIES, "UIDREF", "CONTAINS"), path, faults);
    for (_, item) in named(group, SOURCE_SERIES) {
        let found = item.text(tags::UID).unwrap_or_default();
        let known = evidence.images.iter().any(|image| image.identity.series.as_str() == found);
        faults.unless(known, "source-series", path, || format!("{found} is not the source"));
    }
}

/// A frame that exists in a Segmentation of the set; in a label map, a segment.
fn check_frame(item: &DataSet, segments: &Segments, path: &str, faults: &mut Faults) {
    let reference = item.items(tags::REFERENCED_SOP_SEQUENCE).first();
    let uid = reference.and_then(|r| r.text(tags::REFERENCED_SOP_INSTANCE_UID)).unwrap_or_default();
    let frame = reference.and_then(|r| r.int(tags::REFERENCED_FRAME_NUMBER));
    let segment = reference.and_then(|r| r.int(tags::REFERENCED_SEGMENT_NUMBER));
    let count = segments.frames.get(&uid).copied().unwrap_or(0);
    let exists = match (frame, segment) {
        (Some(frame), None) => (1..=count).contains(&frame),
        (None, Some(segment)) => segments.tracking.contains_key(&(uid.clone(), segment)),
        (Some(_), Some(_)) | (None, None) => false,
    };
    faults.unless(exists, "segmentation-frame", path, || {
        format!("frame {frame:?}, segment {segment:?} of {uid}")
    });
}

/// A closed polyline of whole points within the image, on a source image.
fn check_polyline(item: &DataSet, evidence: &Evidence<'_>, path: &str, faults: &mut Faults) {
    let points = graphic_data(item);
    let whole = points.len().is_multiple_of(2) && points.len() >= 8;
    let closed = whole && points[..2] == points[points.len() - 2..];
    faults.unless(closed, "graphic-data", path, || {
        format!("{} numbers that are no closed polyline", points.len())
    });
    let polyline = item.text(tags::GRAPHIC_TYPE).as_deref() == Some("POLYLINE");
    faults.unless(polyline, "graphic-data", path, || "no POLYLINE".into());
    let side = |index: usize| u16::try_from(evidence.size[index % 2]).map_or(f32::MAX, f32::from);
    let within = points.iter().enumerate().all(|(n, value)| (0.0..=side(n)).contains(value));
    faults.unless(within, "graphic-data", path, || "points outside the image".into());
    let images: Vec<_> = item
        .items(tags::CONTENT_SEQUENCE)
        .iter()
        .filter(|child| value_type(child) == "IMAGE")
        .collect();
    let uid = images.first().and_then(|image| {
        image.items(tags::REFERENCED_SOP_SEQUENCE).first()?.text(tags::REFERENCED_SOP_INSTANCE_UID)
    });
    let is_source = uid.as_ref().is_some_and(|uid| evidence.image(uid).is_some());
    faults.unless(images.len() == 1 && is_source, "region", path, || {
        format!("selected from {uid:?}, which is no source image")
    });
}

fn graphic_data(item: &DataSet) -> Vec<f32> {
    let Some(Value::Bytes(bytes)) = item.get(tags::GRAPHIC_DATA).map(|element| &element.value)
    else {
        return Vec::new();
    };
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

fn check_site(group: &DataSet, path: &str, faults: &mut Faults) {
    for (_, site) in named(group, ("363698007", "SCT")) {
        for (_, side) in named(site, LATERALITY) {
            let found = code(side, tags::CONCEPT_CODE_SEQUENCE).unwrap_or_default();
            let is_side = found.1 == "SCT" && SIDES.contains(&found.0.as_str());
            faults.unless(is_side, "laterality", path, || format!("{found:?} is not of CID 244"));
        }
    }
}

/// Every number with a unit that its name may have; at least one.
fn check_numbers(group: &DataSet, path: &str, faults: &mut Faults) {
    let numbers: Vec<_> = (1..)
        .zip(group.items(tags::CONTENT_SEQUENCE))
        .filter(|(_, item)| value_type(item) == "NUM")
        .collect();
    faults.unless(!numbers.is_empty(), "measurement", path, || "no number".into());
    for (at, item) in numbers {
        let path = format!("{path}ContentSequence[{at}]");
        let measured = item.items(tags::MEASURED_VALUE_SEQUENCE).first();
        let value =
            measured.map(|measured| measured.numbers(tags::NUMERIC_VALUE)).unwrap_or_default();
        let one = value.len() == 1 && value[0].is_finite();
        faults.unless(one, "measurement", &path, || format!("{value:?}"));
        let unit = measured.and_then(|m| code(m, tags::MEASUREMENT_UNITS_CODE_SEQUENCE));
        let of_name =
            UNITS.iter().find(|(name, _)| is_code(item, tags::CONCEPT_NAME_CODE_SEQUENCE, *name));
        let fits = of_name.is_some_and(|(_, units)| {
            unit.as_ref()
                .is_some_and(|(unit, scheme)| scheme == "UCUM" && units.contains(&unit.as_str()))
        });
        faults.unless(fits, "unit", &path, || format!("{unit:?}"));
    }
}
