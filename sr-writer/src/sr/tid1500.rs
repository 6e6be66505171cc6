//! TID 1500, Measurement Report: the root of the tree.

use dataset::{DataSet, Vr};
use domain::{Extent, Tag};

use super::item::Item;
use super::item::Relationship::{Contains, HasConceptMod, HasObsContext};
use super::qualitative_evaluations::qualitative_evaluations;
use super::tid1001::device_observer;
use super::tid1204::language;
use super::tid1410::{box_group, planar_group};
use super::tid1411::volumetric_group;
use super::tid1600::image_library;
use super::tid4019::algorithm;
use crate::coding::{
    IMAGING_MEASUREMENT_REPORT, IMAGING_MEASUREMENTS, IMAGING_PROCEDURE, PROCEDURE_REPORTED,
};
use crate::iod::copy;
use crate::tags;
use crate::work::Work;

/// The basic code of a Code Sequence item (PS3.3 Table 8.8-1).
const CODE: &[(Tag, Vr)] = &[
    (tags::CODE_VALUE, Vr::SH),
    (tags::LONG_CODE_VALUE, Vr::UC),
    (tags::URN_CODE_VALUE, Vr::UR),
    (tags::CODING_SCHEME_DESIGNATOR, Vr::SH),
    (tags::CODING_SCHEME_VERSION, Vr::SH),
    (tags::CODE_MEANING, Vr::LO),
];

/// The whole tree.
pub(crate) fn measurement_report(work: &Work<'_>) -> Item {
    Item::container(IMAGING_MEASUREMENT_REPORT)
        .template("1500")
        .with(HasConceptMod, language())
        .with_all(HasObsContext, device_observer(work))
        .with_all(HasConceptMod, procedures_reported(work.header))
        .with(Contains, image_library(work))
        .with(Contains, imaging_measurements(work))
        .with_all(Contains, qualitative_evaluations(work))
}

/// The study's own procedure codes; where it has none, "Imaging procedure".
fn procedures_reported(header: &DataSet) -> Vec<Item> {
    let is_code = |item: &&DataSet| {
        let values = [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE];
        let has = |tag| item.text(tag).is_some_and(|text| !text.is_empty());
        values.into_iter().any(has) && has(tags::CODE_MEANING)
    };
    let own = header.items(tags::PROCEDURE_CODE_SEQUENCE).iter().filter(is_code);
    let mut items: Vec<Item> = own.map(procedure_of_source).collect();
    if items.is_empty() {
        items.push(Item::code(PROCEDURE_REPORTED, &IMAGING_PROCEDURE.concept()));
    }
    items
}

fn procedure_of_source(code: &DataSet) -> Item {
    let mut value = DataSet::new();
    copy(&mut value, code, CODE);
    Item::code_of_source(PROCEDURE_REPORTED, value)
}

/// A group for each segment: volumetric on a grid in the patient, planar in frames; and one for each box. The
/// container names the algorithm, once for all groups, or for having found none.
fn imaging_measurements(work: &Work<'_>) -> Item {
    let container = Item::container(IMAGING_MEASUREMENTS);
    let container = container.with_all(HasConceptMod, algorithm(work.findings));
    let segments = work.findings.segments.iter().enumerate();
    let groups: Vec<Item> = segments
        .flat_map(|(index, segment)| {
            let group = match &segment.measurements.extent {
                Extent::Volumetric { .. } => volumetric_group(work, index, segment),
                Extent::Planar { frame_index, .. } | Extent::Pixels { frame_index, .. } => {
                    planar_group(work, index, segment, *frame_index)
                }
            };
            let boxes = (1..).zip(&segment.boxes);
            let boxes = boxes.map(move |(n, of_box)| box_group(work, (index, segment), n, of_box));
            std::iter::once(group).chain(boxes)
        })
        .collect();
    container.with_all(Contains, groups)
}
