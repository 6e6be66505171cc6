//! Segment Sequence (PS3.3 §C.8.20.2, Tables 10.46 and 10-19).

use std::ops::Range;

use dataset::{DataSet, Vr};
use domain::{ModelIdentity, Segment, Target};

use super::color::cielab;
use crate::coding::{ARTIFICIAL_INTELLIGENCE, BACKGROUND, code_item, put_code};
use crate::text::{LO_MAX, LT_MAX, ascii, escaped, required};
use crate::work::Work;
use crate::{SegmentationKind, tags};

/// Puts one item a segment; Segment Numbers count from 1 in the order of the findings. In a label map 0 is the background,
/// which is described, too.
pub(crate) fn put_segments(set: &mut DataSet, work: &Work<'_>, segments: Range<usize>) {
    let background = (work.form.kind == SegmentationKind::Labelmap).then(|| background(work));
    let numbered = (1..=u16::MAX).zip(segments);
    let items = numbered.map(|(number, index)| {
        let segment = &work.findings.segments[index];
        let mut item = DataSet::new();
        item.put_u16s(tags::SEGMENT_NUMBER, &[number]);
        put_algorithm(&mut item, work);
        put_target(&mut item, &segment.target);
        put_tracking(&mut item, work, index, segment);
        item
    });
    // Behind the others: some viewers take their colours in the order of the items.
    set.put_items(tags::SEGMENT_SEQUENCE, items.chain(background).collect());
}

/// What no segment takes.
fn background(work: &Work<'_>) -> DataSet {
    let mut item = DataSet::new();
    item.put_u16s(tags::SEGMENT_NUMBER, &[0]);
    put_algorithm(&mut item, work);
    item.put_text(tags::SEGMENT_LABEL, Vr::LO, "Background");
    let concept = BACKGROUND.concept();
    put_code(&mut item, tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, &concept);
    put_code(&mut item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, &concept);
    item
}

fn put_tracking(item: &mut DataSet, work: &Work<'_>, index: usize, segment: &Segment) {
    item.put_text(tags::SEGMENT_LABEL, Vr::LO, &required(&segment.target.label, LO_MAX));
    item.put_text(tags::TRACKING_ID, Vr::UT, &work.tracking_identifiers[index]);
    item.put_uid(tags::TRACKING_UID, &work.uids.segment_tracking(index + 1));
}

fn put_algorithm(item: &mut DataSet, work: &Work<'_>) {
    let model = &work.findings.model;
    let name = required(&model.name, LO_MAX);
    item.put_text(tags::SEGMENT_ALGORITHM_TYPE, Vr::CS, "AUTOMATIC");
    item.put_text(tags::SEGMENT_ALGORITHM_NAME, Vr::LO, &name);
    let mut algorithm = DataSet::new();
    let family = ARTIFICIAL_INTELLIGENCE.concept();
    put_code(&mut algorithm, tags::ALGORITHM_FAMILY_CODE_SEQUENCE, &family);
    algorithm.put_text(tags::ALGORITHM_NAME, Vr::LO, &name);
    algorithm.put_text(tags::ALGORITHM_VERSION, Vr::LO, &required(&model.version, LO_MAX));
    algorithm.put_text(tags::ALGORITHM_SOURCE, Vr::LO, &required(&model.manufacturer, LO_MAX));
    let parameters = algorithm_parameters(model, &work.findings.parameters);
    algorithm.put_text(tags::ALGORITHM_PARAMETERS, Vr::LT, &ascii(&parameters, LT_MAX));
    item.put_items(tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE, vec![algorithm]);
}

/// The settings, led by the hash that tells one model file from another of the same name.
fn algorithm_parameters(model: &ModelIdentity, parameters: &[String]) -> String {
    let hash = format!("sha256={}", model.sha256);
    let all: Vec<&str> =
        std::iter::once(hash.as_str()).chain(parameters.iter().map(String::as_str)).collect();
    escaped(&all.join("; "))
}

/// What the segment is. The laterality is a modifier of the type, inside its item.
fn put_target(item: &mut DataSet, target: &Target) {
    put_code(item, tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, &target.category);
    let mut property_type = code_item(&target.property_type);
    if let Some(laterality) = &target.laterality {
        let tag = tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE;
        put_code(&mut property_type, tag, laterality);
    }
    item.put_items(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, vec![property_type]);
    if let Some(region) = &target.anatomic_region {
        put_code(item, tags::ANATOMIC_REGION_SEQUENCE, region);
    }
    item.put_u16s(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, &cielab(target.color_rgb));
}
