//! Contributing Equipment Sequence of SOP Common (PS3.3 §C.12.1): the scanner and this node.

use dataset::{DataSet, Vr};
use domain::Tag;

use super::{copy, put_equipment};
use crate::coding::{ACQUISITION_EQUIPMENT, PROCESSING_EQUIPMENT, put_code};
use crate::tags;
use crate::text::{LO_MAX, ascii, required};
use crate::work::Work;

/// What is taken over of the scanner.
const SCANNER: &[(Tag, Vr)] = &[
    (tags::MANUFACTURER, Vr::LO),
    (tags::INSTITUTION_NAME, Vr::LO),
    (tags::INSTITUTION_ADDRESS, Vr::ST),
    (tags::STATION_NAME, Vr::SH),
    (tags::INSTITUTIONAL_DEPARTMENT_NAME, Vr::LO),
    (tags::MANUFACTURER_MODEL_NAME, Vr::LO),
    (tags::DEVICE_SERIAL_NUMBER, Vr::LO),
    (tags::SOFTWARE_VERSIONS, Vr::LO),
];

/// Names who took the images, who processed them, and with which algorithm: a model is told from another of its name by its
/// hash, which is its Device Serial Number.
///
/// Device UID is left out, though the module has it: the validator that everybody uses calls it a foreign attribute. The
/// report has it as Device Observer UID.
pub(crate) fn put_contributing_equipment(set: &mut DataSet, work: &Work<'_>) {
    let items = scanner(work.header).into_iter().chain([node(work), algorithm(work)]).collect();
    set.put_items(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE, items);
}

/// Manufacturer is type 1 in an item, so a scanner without one is left out.
fn scanner(header: &DataSet) -> Option<DataSet> {
    header.text(tags::MANUFACTURER).filter(|name| !name.is_empty())?;
    let mut item = DataSet::new();
    copy(&mut item, header, SCANNER);
    put_code(&mut item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &ACQUISITION_EQUIPMENT.concept());
    Some(item)
}

fn node(work: &Work<'_>) -> DataSet {
    let mut item = DataSet::new();
    put_equipment(&mut item, &work.context.device);
    item.put_text(tags::CONTRIBUTION_DATE_TIME, Vr::DT, &work.created.date_time);
    let model = &work.findings.model;
    let description = format!("Ran {} {}: {}", model.name, model.version, model.title);
    item.put_text(tags::CONTRIBUTION_DESCRIPTION, Vr::ST, &ascii(&description, LO_MAX));
    put_code(&mut item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &PROCESSING_EQUIPMENT.concept());
    item
}

fn algorithm(work: &Work<'_>) -> DataSet {
    let model = &work.findings.model;
    let mut item = DataSet::new();
    let mut put = |tag, text: &str| item.put_text(tag, Vr::LO, &required(text, LO_MAX));
    put(tags::MANUFACTURER, &model.manufacturer);
    put(tags::MANUFACTURER_MODEL_NAME, &model.name);
    put(tags::SOFTWARE_VERSIONS, &model.version);
    put(tags::DEVICE_SERIAL_NUMBER, &model.sha256);
    item.put_text(tags::CONTRIBUTION_DESCRIPTION, Vr::ST, &ascii(&model.title, LO_MAX));
    put_code(&mut item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &PROCESSING_EQUIPMENT.concept());
    item
}
