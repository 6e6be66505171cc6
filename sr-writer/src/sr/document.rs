//! SR Document General (PS3.3 §C.17.2).

use dataset::{DataSet, Vr};
use domain::Predecessor;

use crate::iod::{evidence_item, put_referenced_request, put_sop_reference};
use crate::tags;
use crate::work::Work;

/// Complete, not verified by a person, preliminary; with everything that the tree refers to as evidence.
pub(crate) fn put_document(set: &mut DataSet, work: &Work<'_>) {
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, "1");
    set.put_text(tags::CONTENT_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::CONTENT_TIME, Vr::TM, &work.created.time);
    set.put_text(tags::COMPLETION_FLAG, Vr::CS, "COMPLETE");
    set.put_text(tags::VERIFICATION_FLAG, Vr::CS, "UNVERIFIED");
    set.put_text(tags::PRELIMINARY_FLAG, Vr::CS, "PRELIMINARY");
    set.put_empty(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, Vr::SQ);
    if let Some(procedure) = work.header.get(tags::PROCEDURE_CODE_SEQUENCE) {
        set.insert(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, procedure.clone());
    }
    let study = work.source.study.as_str();
    put_referenced_request(set, work.header, study);
    put_evidence(set, work);
    if let Some(predecessor) = &work.context.predecessor {
        let documents = vec![predecessor_item(predecessor)];
        set.put_items(tags::PREDECESSOR_DOCUMENTS_SEQUENCE, documents);
    }
}

/// Current Requested Procedure Evidence Sequence: source images and Segmentations, all of one study.
fn put_evidence(set: &mut DataSet, work: &Work<'_>) {
    let sources = work.source.instances.iter().map(|instance| &instance.identity);
    let item = evidence_item(work.source.study.as_str(), sources.chain(work.parts.identities()));
    set.put_items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![item]);
}

fn predecessor_item(predecessor: &Predecessor) -> DataSet {
    let mut document = DataSet::new();
    let (class, instance) = (predecessor.sop_class.as_str(), predecessor.sop_instance.as_str());
    put_sop_reference(&mut document, class, instance);
    let mut series = DataSet::new();
    series.put_uid(tags::SERIES_INSTANCE_UID, predecessor.series.as_str());
    series.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![document]);
    let mut study = DataSet::new();
    study.put_uid(tags::STUDY_INSTANCE_UID, predecessor.study.as_str());
    study.put_items(tags::REFERENCED_SERIES_SEQUENCE, vec![series]);
    study
}
