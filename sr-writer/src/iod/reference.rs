//! References to instances (PS3.3 Table 10-11, §C.12.2, Table C.17-3).

use dataset::DataSet;
use domain::{InstanceIdentity, SeriesInstanceUid};

use crate::tags;

/// Puts Referenced SOP Class UID and Referenced SOP Instance UID.
pub(crate) fn put_sop_reference(set: &mut DataSet, sop_class: &str, sop_instance: &str) {
    set.put_uid(tags::REFERENCED_SOP_CLASS_UID, sop_class);
    set.put_uid(tags::REFERENCED_SOP_INSTANCE_UID, sop_instance);
}

/// An item that refers to an instance.
pub(crate) fn sop_reference(identity: &InstanceIdentity) -> DataSet {
    let mut item = DataSet::new();
    put_sop_reference(&mut item, identity.sop_class.as_str(), identity.sop_instance.as_str());
    item
}

/// One item a series, in the order in which series occur first, each with one item an instance in `instances_tag`.
pub(crate) fn series_items<'a>(
    instances: impl IntoIterator<Item = &'a InstanceIdentity>,
    instances_tag: domain::Tag,
) -> Vec<DataSet> {
    let mut by_series: Vec<(&SeriesInstanceUid, Vec<DataSet>)> = Vec::new();
    for identity in instances {
        let reference = sop_reference(identity);
        match by_series.iter_mut().find(|(series, _)| **series == identity.series) {
            Some((_, references)) => references.push(reference),
            None => by_series.push((&identity.series, vec![reference])),
        }
    }
    let item = |(series, references): (&SeriesInstanceUid, _)| {
        let mut item = DataSet::new();
        item.put_uid(tags::SERIES_INSTANCE_UID, series.as_str());
        item.put_items(instances_tag, references);
        item
    };
    by_series.into_iter().map(item).collect()
}

/// An item of Hierarchical SOP Instance Reference (PS3.3 Table C.17-3): one study and its instances.
pub(crate) fn evidence_item<'a>(
    study: &str,
    instances: impl IntoIterator<Item = &'a InstanceIdentity>,
) -> DataSet {
    let mut item = DataSet::new();
    item.put_uid(tags::STUDY_INSTANCE_UID, study);
    let series = series_items(instances, tags::REFERENCED_SOP_SEQUENCE);
    item.put_items(tags::REFERENCED_SERIES_SEQUENCE, series);
    item
}
