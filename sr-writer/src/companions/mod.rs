//! What may lie beside SEG and SR, for viewers that show neither: pictures, outlines, and a list of what belongs together.

mod capture;
mod font;
mod key_objects;
mod outline;
mod presentation_state;

use dataset::DataSet;
use dicom_dictionary_std::uids;
use domain::{InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid};

use crate::iod::{
    SeriesRole, file, put_equipment, put_patient_and_study, put_series, put_sop_common,
    transfer_syntax,
};
use crate::work::Work;
use crate::{ResultInstance, ResultKind, WriteError};

pub use capture::Backdrop;

/// Makes the companions that the context asks for: pictures, outlines, then the list that refers to `results`.
pub(crate) fn write(
    work: &Work<'_>,
    results: &[&InstanceIdentity],
) -> Result<Vec<ResultInstance>, WriteError> {
    let mut made = Vec::new();
    let wanted = work.context.companions;
    if wanted.secondary_capture {
        made.extend(capture::write(work)?);
    }
    if wanted.presentation_state {
        made.extend(presentation_state::write(work)?);
    }
    if wanted.rejection_note {
        made.extend(key_objects::rejection_note(work)?);
    }
    if wanted.key_objects {
        made.push(key_objects::write(work, results)?);
    }
    Ok(made)
}

/// Which companion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Companion {
    KeyObjects,
    RejectionNote,
    Capture,
    PresentationState,
}

impl Companion {
    fn sop_class(self) -> &'static str {
        match self {
            Self::KeyObjects | Self::RejectionNote => uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
            Self::Capture => uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
            Self::PresentationState => uids::GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
        }
    }

    fn kind(self) -> ResultKind {
        match self {
            Self::KeyObjects => ResultKind::KeyObjects,
            Self::RejectionNote => ResultKind::RejectionNote,
            Self::Capture => ResultKind::SecondaryCapture,
            Self::PresentationState => ResultKind::PresentationState,
        }
    }

    fn role(self) -> SeriesRole {
        match self {
            Self::KeyObjects => SeriesRole::KeyObjects,
            Self::RejectionNote => SeriesRole::RejectionNote,
            Self::Capture => SeriesRole::Capture,
            Self::PresentationState => SeriesRole::PresentationState,
        }
    }

    /// What instance `number` of its series is, from 1.
    fn identity(self, work: &Work<'_>, number: usize) -> Result<InstanceIdentity, WriteError> {
        let word = self.kind().as_str();
        Ok(InstanceIdentity {
            study: work.source.study.clone(),
            series: SeriesInstanceUid::parse(&work.uids.companion(word, 0))?,
            sop_instance: SopInstanceUid::parse(&work.uids.companion(word, number))?,
            sop_class: SopClassUid::parse(self.sop_class())?,
            transfer_syntax: transfer_syntax()?,
        })
    }

    /// A data set with the modules that all companions share.
    fn begin(self, work: &Work<'_>, identity: &InstanceIdentity) -> DataSet {
        let mut set = DataSet::new();
        put_patient_and_study(&mut set, work.header, &work.source.study);
        put_series(&mut set, work, self.role(), identity.series.as_str());
        put_equipment(&mut set, &work.context.device);
        put_sop_common(&mut set, work, identity);
        set
    }

    fn end(self, identity: InstanceIdentity, set: &DataSet) -> ResultInstance {
        let file = file(&identity, set);
        ResultInstance { kind: self.kind(), identity, file }
    }
}
