//! Key Object Selection (PS3.3 §A.35.4, TID 2010): the results and the images that show them best, for worklists and viewers
//! that look for key objects.

use dataset::Vr;
use domain::InstanceIdentity;

use super::Companion;
use crate::coding::{
    DOCUMENT_TITLE_MODIFIER, KEY_OBJECT_DESCRIPTION, OF_INTEREST, OTHER_FAILURE,
    REJECTED_FOR_QUALITY_REASONS,
};
use crate::iod::{evidence_item, put_referenced_request};
use crate::sr::item::Item;
use crate::sr::item::Relationship::{Contains, HasConceptMod, HasObsContext};
use crate::sr::{device_observer, language};
use crate::work::Work;
use crate::{ResultInstance, WriteError, chosen_slices, tags};

/// Key images of the source.
const IMAGES_MAX: usize = 6;

const DESCRIPTION: &str =
    "Results of an algorithm and the images that show them. Not for diagnosis.";

/// Lists `results`, report and Segmentations, and the chosen source images.
pub(crate) fn write(
    work: &Work<'_>,
    results: &[&InstanceIdentity],
) -> Result<ResultInstance, WriteError> {
    let images = images(work);
    let mut listed: Vec<&InstanceIdentity> = results.to_vec();
    for (identity, _) in &images {
        if !listed.iter().any(|known| known.sop_instance == identity.sop_instance) {
            listed.push(identity);
        }
    }
    let images = images.iter().map(|(identity, frame)| Item::frame(identity, *frame));
    let items = results.iter().map(|identity| result(identity)).chain(images);
    document(work, Companion::KeyObjects, &listed, |language, observer| {
        Item::container(OF_INTEREST)
            .template("2010")
            .with(HasConceptMod, language)
            .with_all(HasObsContext, observer)
            .with(Contains, Item::text(KEY_OBJECT_DESCRIPTION, DESCRIPTION))
            .with_all(Contains, items)
    })
}

/// Rejects the results of the earlier revision (IHE IOCM): "Rejected for Quality Reasons", because of the titles for rejection
/// that is the only one that says nothing of patients, worklists or retention. `None` where there is nothing to reject.
pub(crate) fn rejection_note(work: &Work<'_>) -> Result<Option<ResultInstance>, WriteError> {
    let rejected: Vec<&InstanceIdentity> = work.context.rejected.iter().collect();
    if rejected.is_empty() {
        return Ok(None);
    }
    let items = rejected.iter().map(|identity| result(identity));
    let modifier = Item::code(DOCUMENT_TITLE_MODIFIER, &OTHER_FAILURE.concept());
    let note = document(work, Companion::RejectionNote, &rejected, |language, observer| {
        Item::container(REJECTED_FOR_QUALITY_REASONS)
            .template("2010")
            .with(HasConceptMod, modifier)
            .with(HasConceptMod, language)
            .with_all(HasObsContext, observer)
            .with(Contains, Item::text(KEY_OBJECT_DESCRIPTION, REPLACED))
            .with_all(Contains, items)
    });
    note.map(Some)
}

const REPLACED: &str = "Replaced by results on a later state of the series.";

/// A Key Object Selection Document with this evidence and this tree.
fn document(
    work: &Work<'_>,
    which: Companion,
    listed: &[&InstanceIdentity],
    tree: impl FnOnce(Item, Vec<Item>) -> Item,
) -> Result<ResultInstance, WriteError> {
    let identity = which.identity(work, 1)?;
    let mut set = which.begin(work, &identity);
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, "1");
    set.put_text(tags::CONTENT_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::CONTENT_TIME, Vr::TM, &work.created.time);
    put_referenced_request(&mut set, work.header, work.source.study.as_str());
    let evidence = evidence_item(work.source.study.as_str(), listed.iter().copied());
    set.put_items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![evidence]);
    tree(language(), device_observer(work)).put_as_root(&mut set);
    Ok(which.end(identity, &set))
}

/// Reports are composite objects, Segmentations images.
fn result(identity: &InstanceIdentity) -> Item {
    if identity.sop_class.as_str().contains(".88.") {
        Item::composite(identity)
    } else {
        Item::image(identity)
    }
}

/// An image of the source, and which of its frames.
type SourceFrame<'a> = (&'a InstanceIdentity, Option<u32>);

fn images<'a>(work: &Work<'a>) -> Vec<SourceFrame<'a>> {
    let slice = |k: usize| {
        let slice = &work.source.slices[k];
        (&slice.instance.identity, slice.frame_number)
    };
    chosen_slices(work.findings, IMAGES_MAX).into_iter().map(slice).collect()
}
