//! General Series and what SR Document Series has of it (PS3.3 §C.7.3.1, §C.17.1).

use dataset::{DataSet, Vr};

use super::body_part::{is_body_part, is_unpaired};
use super::copy;
use crate::tags;
use crate::text::{LO_MAX, with_ending};
use crate::work::Work;

/// What every Series Description of ours ends with.
const NOT_FOR_DIAGNOSIS: &str = " - not for diagnosis";

/// Which of the series of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesRole {
    /// Modality SEG.
    Segmentation,
    /// Modality SR.
    Report,
    /// Modality KO.
    KeyObjects,
    /// Modality KO, too.
    RejectionNote,
    /// Modality OT.
    Capture,
    /// Modality PR.
    PresentationState,
}

impl SeriesRole {
    fn modality(self) -> &'static str {
        match self {
            Self::Segmentation => "SEG",
            Self::Report => "SR",
            Self::KeyObjects | Self::RejectionNote => "KO",
            Self::Capture => "OT",
            Self::PresentationState => "PR",
        }
    }

    /// 9000 + ten times the number of the source series, + 1 for the SEG, + 2 for the SR, and so on: series 2 gives 9021 to 9026.
    fn number(self, source: &DataSet) -> i64 {
        let of_source = source.int(tags::SERIES_NUMBER).filter(|n| (0..=1_000_000).contains(n));
        let role = match self {
            Self::Segmentation => 1,
            Self::Report => 2,
            Self::KeyObjects => 3,
            Self::Capture => 4,
            Self::PresentationState => 5,
            Self::RejectionNote => 6,
        };
        9000 + 10 * of_source.unwrap_or(0) + role
    }
}

/// What says nothing, or says it in words of its own, is not repeated.
fn put_body_part(set: &mut DataSet, source: &DataSet) {
    let value = |tag| source.text(tag).unwrap_or_default();
    if is_body_part(value(tags::BODY_PART_EXAMINED).trim()) {
        copy(set, source, &[(tags::BODY_PART_EXAMINED, Vr::CS)]);
    }
    if matches!(value(tags::LATERALITY).trim(), "L" | "R") {
        copy(set, source, &[(tags::LATERALITY, Vr::CS)]);
    }
}

fn put_body_part_and_request(set: &mut DataSet, source: &DataSet) {
    put_body_part(set, source);
    let others =
        [(tags::ANATOMICAL_ORIENTATION_TYPE, Vr::CS), (tags::REQUEST_ATTRIBUTES_SEQUENCE, Vr::SQ)];
    copy(set, source, &others);
}

/// The new series. The description names the model; a SEG also keeps the body part and the request of the source.
pub(crate) fn put_series(set: &mut DataSet, work: &Work<'_>, role: SeriesRole, series: &str) {
    set.put_text(tags::MODALITY, Vr::CS, role.modality());
    set.put_uid(tags::SERIES_INSTANCE_UID, series);
    set.put_text(tags::SERIES_NUMBER, Vr::IS, &role.number(work.header).to_string());
    set.put_text(tags::SERIES_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::SERIES_TIME, Vr::TM, &work.created.time);
    let description = with_ending(&work.findings.model.title, NOT_FOR_DIAGNOSIS, LO_MAX);
    set.put_text(tags::SERIES_DESCRIPTION, Vr::LO, &description);
    match role {
        SeriesRole::Segmentation => put_body_part_and_request(set, work.header),
        SeriesRole::Capture | SeriesRole::PresentationState => {
            put_body_part(set, work.header);
            // Type 2C: of a part that there may be two of, the side that is not known is empty.
            let part = set.text(tags::BODY_PART_EXAMINED).unwrap_or_default();
            if !is_unpaired(part.trim()) && !set.contains(tags::LATERALITY) {
                set.put_empty(tags::LATERALITY, Vr::CS);
            }
        }
        SeriesRole::Report | SeriesRole::KeyObjects | SeriesRole::RejectionNote => {
            set.put_empty(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, Vr::SQ)
        }
    }
}
