//! A report as a whole: TID 1500 (PS3.16), evidence, and what each content item must have (PS3.3 §C.17.3).

use std::collections::BTreeSet;

use dataset::{DataSet, tags};

use crate::evidence::Evidence;
use crate::fault::Faults;
use crate::group::check_group;
use crate::module::check_attributes;
use crate::segmentation::Segments;
use crate::tables::ITEM;
use crate::tree::{Name, children, code, is_code, named, relationship, value_type, walk};

const MEASUREMENTS: Name = ("126010", "DCM");
const GROUP: Name = ("125007", "DCM");
const LIBRARY: Name = ("111028", "DCM");
const LIBRARY_GROUP: Name = ("126200", "DCM");

/// A row of a container that must be there: name, value type, relationship, how often at least.
type Row = (Name, &'static str, &'static str);

/// Rows 2 to 6 of TID 1500, with TID 1204 and TID 1002.
const ROWS: [Row; 6] = [
    (("121049", "DCM"), "CODE", "HAS CONCEPT MOD"),
    (("121005", "DCM"), "CODE", "HAS OBS CONTEXT"),
    (("121012", "DCM"), "UIDREF", "HAS OBS CONTEXT"),
    (("121058", "DCM"), "CODE", "HAS CONCEPT MOD"),
    (LIBRARY, "CONTAINER", "CONTAINS"),
    (MEASUREMENTS, "CONTAINER", "CONTAINS"),
];

/// Holds a report against Segmentations and source.
pub(crate) fn check_report(
    set: &DataSet,
    evidence: &Evidence<'_>,
    segments: &Segments,
    faults: &mut Faults,
) {
    let title = is_code(set, tags::CONCEPT_NAME_CODE_SEQUENCE, ("126000", "DCM"));
    faults.unless(title, "title", "ConceptNameCodeSequence", || "not (126000, DCM)".into());
    check_template(set, "1500", "", faults);
    for row in ROWS {
        check_row(set, row, "", faults);
    }
    check_language(set, faults);
    check_library(set, faults);
    walk(set, "", &mut |parent, item, path| check_item(parent, item, path, faults));
    check_measurements(set, evidence, segments, faults);
    check_evidence(set, evidence, segments, faults);
}

/// The template that a container says it is of.
pub(crate) fn check_template(item: &DataSet, wanted: &str, path: &str, faults: &mut Faults) {
    let template = item.items(tags::CONTENT_TEMPLATE_SEQUENCE).first();
    let found = template.and_then(|template| template.text(tags::TEMPLATE_IDENTIFIER));
    faults.unless(
        found.as_deref() == Some(wanted),
        "template",
        &format!("{path}ContentTemplateSequence"),
        || format!("{found:?}, not {wanted}"),
    );
}

/// A row that must be there, as the template has it.
pub(crate) fn check_row(item: &DataSet, (name, kind, how): Row, path: &str, faults: &mut Faults) {
    let mut found = named(item, name).peekable();
    faults.unless(found.peek().is_some(), "missing-row", path, || format!("no {name:?}"));
    for (number, child) in found {
        let path = format!("{path}ContentSequence[{number}]");
        let fits = value_type(child) == kind && relationship(child) == how;
        faults.unless(fits, "row", &path, || {
            format!("{} {}, not {how} {kind}", relationship(child), value_type(child))
        });
    }
}

fn check_language(set: &DataSet, faults: &mut Faults) {
    let language = named(set, ("121049", "DCM")).next();
    let found = language.and_then(|(_, item)| code(item, tags::CONCEPT_CODE_SEQUENCE));
    let is_known = found.as_ref().is_some_and(|(_, scheme)| scheme == "RFC5646");
    faults.unless(is_known, "language", "Language", || format!("{found:?} is not of CID 5000"));
}

/// Library, group, modality and at least one image.
fn check_library(set: &DataSet, faults: &mut Faults) {
    let Some((_, library)) = named(set, LIBRARY).next() else { return };
    check_template(library, "1600", "ImageLibrary.", faults);
    for (_, group) in named(library, LIBRARY_GROUP) {
        check_row(group, (("121139", "DCM"), "CODE", "HAS ACQ CONTEXT"), "ImageLibrary.", faults);
        let images = children(group).iter().filter(|child| value_type(child) == "IMAGE").count();
        faults.unless(images > 0, "library", "ImageLibrary", || "no image".into());
    }
    faults.unless(
        named(library, LIBRARY_GROUP).next().is_some(),
        "library",
        "ImageLibrary",
        || "no group".into(),
    );
}

/// Attributes, values for the value type, and a relationship that PS3.3 Table A.35.13-2 allows.
fn check_item(parent: &DataSet, item: &DataSet, path: &str, faults: &mut Faults) {
    check_attributes(item, ITEM, &[], path, faults);
    let kind = value_type(item);
    let value = match kind.as_str() {
        "CONTAINER" => tags::CONTINUITY_OF_CONTENT,
        "CODE" => tags::CONCEPT_CODE_SEQUENCE,
        "TEXT" => tags::TEXT_VALUE,
        "NUM" => tags::MEASURED_VALUE_SEQUENCE,
        "UIDREF" => tags::UID,
        "IMAGE" => tags::REFERENCED_SOP_SEQUENCE,
        "SCOORD" => tags::GRAPHIC_DATA,
        _ => return,
    };
    faults.unless(item.contains(value), "item-value", path, || format!("{kind} without its value"));
    let is_named = item.contains(tags::CONCEPT_NAME_CODE_SEQUENCE);
    faults.unless(is_named || kind == "IMAGE", "item-name", path, || {
        format!("{kind} without a name")
    });
    let (of, how) = (value_type(parent), relationship(item));
    let allowed: &[&str] = match (of.as_str(), kind.as_str()) {
        ("CONTAINER", "CONTAINER" | "NUM" | "SCOORD") => &["CONTAINS", "HAS ACQ CONTEXT"],
        ("CONTAINER", "CODE" | "TEXT") => {
            &["CONTAINS", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD"]
        }
        ("CONTAINER", "UIDREF") => &["CONTAINS", "HAS OBS CONTEXT", "HAS ACQ CONTEXT"],
        ("CONTAINER", "IMAGE") => &["CONTAINS"],
        ("CODE" | "NUM", "CODE" | "TEXT") => &["HAS CONCEPT MOD", "HAS PROPERTIES"],
        ("CODE", "NUM") => &["HAS PROPERTIES"],
        ("SCOORD", "IMAGE") => &["SELECTED FROM"],
        _ => &[],
    };
    faults.unless(allowed.contains(&how.as_str()), "relationship", path, || {
        format!("{of} {how} {kind}")
    });
}

fn check_measurements(
    set: &DataSet,
    evidence: &Evidence<'_>,
    segments: &Segments,
    faults: &mut Faults,
) {
    let Some((at, container)) = named(set, MEASUREMENTS).next() else { return };
    let path = format!("ContentSequence[{at}].");
    for name in [("111001", "DCM"), ("111003", "DCM")] {
        check_row(container, (name, "TEXT", "HAS CONCEPT MOD"), &path, faults);
    }
    let mut tracked = BTreeSet::new();
    for (number, group) in named(container, GROUP) {
        let path = format!("{path}ContentSequence[{number}].");
        if let Some(uid) = check_group(group, evidence, segments, &path, faults) {
            faults
                .unless(tracked.insert(uid.clone()), "tracking", &path, || format!("{uid} twice"));
        }
    }
    let wanted: BTreeSet<&String> =
        segments.tracking.values().filter(|uid| !uid.is_empty()).collect();
    let missing = wanted.iter().filter(|uid| !tracked.contains(**uid)).count();
    faults.unless(missing == 0, "tracking", &path, || format!("{missing} segments have no group"));
}

/// Everything that is referred to is evidence; evidence is source or Segmentation.
fn check_evidence(
    set: &DataSet,
    evidence: &Evidence<'_>,
    segments: &Segments,
    faults: &mut Faults,
) {
    let path = "CurrentRequestedProcedureEvidenceSequence";
    let studies = set.items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE);
    let own = set.text(tags::STUDY_INSTANCE_UID);
    faults.unless(
        studies.iter().all(|study| study.text(tags::STUDY_INSTANCE_UID) == own),
        "evidence",
        path,
        || "another study".into(),
    );
    let items = studies.iter().flat_map(|study| study.items(tags::REFERENCED_SERIES_SEQUENCE));
    let listed: Vec<String> = items
        .flat_map(|series| series.items(tags::REFERENCED_SOP_SEQUENCE))
        .filter_map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID))
        .collect();
    let once: BTreeSet<&String> = listed.iter().collect();
    faults.unless(once.len() == listed.len(), "evidence", path, || "an instance twice".into());
    for uid in &once {
        let known = evidence.image(uid).is_some() || segments.frames.contains_key(*uid);
        faults.unless(known, "evidence", path, || format!("{uid} is neither source nor result"));
    }
    walk(set, "", &mut |_, item, at| {
        for reference in item.items(tags::REFERENCED_SOP_SEQUENCE) {
            let uid = reference.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap_or_default();
            faults.unless(once.contains(&uid), "evidence", at, || format!("{uid} is no evidence"));
        }
    });
}
