//! The request that the study fulfils, as a report names it (PS3.3 Table C.17-2).

use dataset::{DataSet, Vr};
use domain::Tag;

use super::copy;
use crate::tags;

/// What of a request the source has, and where: at the top or in an item of Request Attributes Sequence.
const COPIED: &[(Tag, Vr)] = &[
    (tags::ACCESSION_NUMBER, Vr::SH),
    (tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, Vr::SQ),
    (tags::REQUESTED_PROCEDURE_ID, Vr::SH),
    (tags::REQUESTED_PROCEDURE_DESCRIPTION, Vr::LO),
    (tags::REQUESTED_PROCEDURE_CODE_SEQUENCE, Vr::SQ),
    (tags::REASON_FOR_THE_REQUESTED_PROCEDURE, Vr::LO),
    (tags::REASON_FOR_REQUESTED_PROCEDURE_CODE_SEQUENCE, Vr::SQ),
];

/// Type 2 of an item beside the Study Instance UID.
const TYPE_2: &[(Tag, Vr)] = &[
    (tags::REFERENCED_STUDY_SEQUENCE, Vr::SQ),
    (tags::ACCESSION_NUMBER, Vr::SH),
    (tags::PLACER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST, Vr::LO),
    (tags::FILLER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST, Vr::LO),
    (tags::REQUESTED_PROCEDURE_ID, Vr::SH),
    (tags::REQUESTED_PROCEDURE_DESCRIPTION, Vr::LO),
    (tags::REQUESTED_PROCEDURE_CODE_SEQUENCE, Vr::SQ),
];

/// Puts Referenced Request Sequence (1C), one item for each request that the source knows by number.
pub(crate) fn put_referenced_request(set: &mut DataSet, source: &DataSet, study: &str) {
    let of_series = source.items(tags::REQUEST_ATTRIBUTES_SEQUENCE);
    let mut requests: Vec<_> =
        of_series.iter().map(|request| item(source, Some(request), study)).collect();
    if requests.is_empty() && has_text(source, tags::ACCESSION_NUMBER) {
        requests.push(item(source, None, study));
    }
    if !requests.is_empty() {
        set.put_items(tags::REFERENCED_REQUEST_SEQUENCE, requests);
    }
}

fn has_text(set: &DataSet, tag: Tag) -> bool {
    set.text(tag).is_some_and(|text| !text.is_empty())
}

fn item(source: &DataSet, request: Option<&DataSet>, study: &str) -> DataSet {
    let mut item = DataSet::new();
    for (tag, vr) in TYPE_2 {
        item.put_empty(*tag, *vr);
    }
    copy(&mut item, source, COPIED);
    if let Some(request) = request {
        copy(&mut item, request, COPIED);
    }
    item.put_uid(tags::STUDY_INSTANCE_UID, study);
    item
}
