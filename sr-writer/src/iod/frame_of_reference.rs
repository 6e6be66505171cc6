//! Frame of Reference (PS3.3 §C.7.4.1).

use dataset::{DataSet, Vr};

use super::copy;
use crate::tags;
use crate::work::Work;

/// The Frame of Reference of the source, where it has one; results lie on its grid.
pub(crate) fn put_frame_of_reference(set: &mut DataSet, work: &Work<'_>) {
    let Some(place) = &work.source.place else { return };
    set.put_uid(tags::FRAME_OF_REFERENCE_UID, place.frame_of_reference.as_str());
    set.put_empty(tags::POSITION_REFERENCE_INDICATOR, Vr::LO);
    copy(set, work.header, &[(tags::POSITION_REFERENCE_INDICATOR, Vr::LO)]);
}
