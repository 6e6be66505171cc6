//! Key Object Selection (PS3.3 §A.35.4, TID 2010): the results and the images that show them best, for worklists and viewers
//! that look for key objects.

use dataset::{DataSet, Vr};
use domain::InstanceIdentity;

use super::Companion;
use crate::coding::{KEY_OBJECT_DESCRIPTION, OF_INTEREST};
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
    let identity = Companion::KeyObjects.identity(work, 1)?;
    let mut set = Companion::KeyObjects.begin(work, &identity);
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, "1");
    set.put_text(tags::CONTENT_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::CONTENT_TIME, Vr::TM, &work.created.time);
    put_referenced_request(&mut set, work.header, work.source.study.as_str());
    let images = images(work);
    put_evidence(&mut set, work, results, &images);
    let results = results.iter().map(|identity| result(identity));
    let images = images.iter().map(|(identity, frame)| Item::frame(identity, *frame));
    Item::container(OF_INTEREST)
        .template("2010")
        .with(HasConceptMod, language())
        .with_all(HasObsContext, device_observer(work))
        .with(Contains, Item::text(KEY_OBJECT_DESCRIPTION, DESCRIPTION))
        .with_all(Contains, results)
        .with_all(Contains, images)
        .put_as_root(&mut set);
    Ok(Companion::KeyObjects.end(identity, &set))
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

fn put_evidence(
    set: &mut DataSet,
    work: &Work<'_>,
    results: &[&InstanceIdentity],
    images: &[SourceFrame<'_>],
) {
    let mut all: Vec<&InstanceIdentity> = results.to_vec();
    for (identity, _) in images {
        if !all.iter().any(|known| known.sop_instance == identity.sop_instance) {
            all.push(identity);
        }
    }
    let item = evidence_item(work.source.study.as_str(), all);
    set.put_items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![item]);
}
