//! A set of results as a whole.

use std::collections::BTreeSet;

use dataset::{DataSet, tags};

use crate::codes::check_codes;
use crate::evidence::Evidence;
use crate::fault::{Fault, Faults};
use crate::instance::Instance;
use crate::module::check_attributes;
use crate::report::check_report;
use crate::segmentation::{Segments, check_segmentation};
use crate::tables::{COMMON, COPIED, REPORT, SEGMENTATION};

const SEGMENTATION_CLASSES: [&str; 2] =
    ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];
const REPORT_CLASS: &str = "1.2.840.10008.5.1.4.1.1.88.34";

/// Key Object Selection, Secondary Capture, Grayscale and Color Softcopy Presentation State: what may lie beside SEG and SR.
const COMPANIONS: [&str; 4] = [
    "1.2.840.10008.5.1.4.1.1.88.59",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.11.2",
];

/// Checks the Segmentations and the report of one answer, as files (PS3.10) in Explicit VR Little Endian or, with pixels, in RLE
/// Lossless. Objects of other SOP Classes are held against what is common to all.
#[must_use]
pub fn check(files: &[&[u8]], evidence: &Evidence<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut read = Vec::new();
    for file in files {
        let mut own = Faults::of("");
        read.extend(Instance::read(file, &mut own));
        faults.extend(own.into_vec());
    }
    let mut segments = Segments::default();
    for instance in &read {
        let mut own = Faults::of(&text(&instance.data_set, tags::SOP_INSTANCE_UID));
        check_instance(instance, evidence, &mut segments, &mut own);
        faults.extend(own.into_vec());
    }
    for instance in read.iter().filter(|instance| class(instance) == REPORT_CLASS) {
        let mut own = Faults::of(&text(&instance.data_set, tags::SOP_INSTANCE_UID));
        check_report(&instance.data_set, evidence, &segments, &mut own);
        faults.extend(own.into_vec());
    }
    faults.extend(check_together(&read, evidence));
    faults
}

fn text(set: &DataSet, tag: domain::Tag) -> String {
    set.text(tag).unwrap_or_default()
}

fn class(instance: &Instance) -> String {
    text(&instance.data_set, tags::SOP_CLASS_UID)
}

fn check_instance(
    instance: &Instance,
    evidence: &Evidence<'_>,
    segments: &mut Segments,
    faults: &mut Faults,
) {
    let set = &instance.data_set;
    let class = class(instance);
    let own = if SEGMENTATION_CLASSES.contains(&class.as_str()) {
        SEGMENTATION
    } else if class == REPORT_CLASS {
        REPORT
    } else {
        let known = COMPANIONS.contains(&class.as_str());
        faults.unless(known, "sop-class", "SOPClassUID", || format!("{class:?} is none of ours"));
        return;
    };
    check_attributes(set, &[COMMON, own].concat(), COPIED, "", faults);
    check_codes(set, COPIED, evidence, "", faults);
    let foreign = set.iter().find(|(tag, _)| tag.is_private());
    faults.unless(foreign.is_none(), "private", "", || "a private attribute".into());
    let description = text(set, tags::SERIES_DESCRIPTION);
    faults.unless(
        description.contains("not for diagnosis"),
        "not-marked",
        "SeriesDescription",
        || "it does not say that results are not for diagnosis".into(),
    );
    if SEGMENTATION_CLASSES.contains(&class.as_str()) {
        check_segmentation(instance, evidence, segments, faults);
    }
}

/// One study, one patient, and no instance twice.
fn check_together(read: &[Instance], evidence: &Evidence<'_>) -> Vec<Fault> {
    let mut faults = Faults::of("");
    let mut seen = BTreeSet::new();
    for instance in read {
        let uid = text(&instance.data_set, tags::SOP_INSTANCE_UID);
        faults.unless(seen.insert(uid.clone()), "same-instance", "SOPInstanceUID", || uid);
    }
    let study = evidence.images.first().map(|image| image.identity.study.to_string());
    for instance in read {
        let found = text(&instance.data_set, tags::STUDY_INSTANCE_UID);
        faults.unless(study.as_ref() == Some(&found), "study", "StudyInstanceUID", || {
            format!("{found}, which is not the source's")
        });
    }
    let patients: BTreeSet<_> = read
        .iter()
        .map(|instance| instance.data_set.get(tags::PATIENT_ID).map(|id| format!("{:?}", id.value)))
        .collect();
    faults.unless(patients.len() <= 1, "patient", "PatientID", || "it differs in the set".into());
    faults.into_vec()
}
