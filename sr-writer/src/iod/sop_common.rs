//! SOP Common (PS3.3 §C.12.1).

use dataset::{DataSet, Vr};
use domain::InstanceIdentity;

use super::{copy, put_contributing_equipment};
use crate::tags;
use crate::work::Work;

/// Identity, character set, time and equipment. Content Qualification says RESEARCH: nothing here is a medical product.
pub(crate) fn put_sop_common(set: &mut DataSet, work: &Work<'_>, identity: &InstanceIdentity) {
    copy(
        set,
        work.header,
        &[
            (tags::SPECIFIC_CHARACTER_SET, Vr::CS),
            (tags::TIMEZONE_OFFSET_FROM_UTC, Vr::SH),
            (tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, Vr::CS),
        ],
    );
    set.put_uid(tags::SOP_CLASS_UID, identity.sop_class.as_str());
    set.put_uid(tags::SOP_INSTANCE_UID, identity.sop_instance.as_str());
    set.put_text(tags::INSTANCE_CREATION_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::INSTANCE_CREATION_TIME, Vr::TM, &work.created.time);
    set.put_text(tags::CONTENT_QUALIFICATION, Vr::CS, "RESEARCH");
    put_contributing_equipment(set, work);
}
