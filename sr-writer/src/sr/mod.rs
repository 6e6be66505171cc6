//! The report: a Comprehensive 3D SR of template TID 1500, Measurement Report (PS3.3 §A.35.13, PS3.16).
//!
//! | template | here |
//! |---|---|
//! | TID 1500 Measurement Report | [`tid1500`], [`qualitative_evaluations`] |
//! | TID 1204 Language of Content Item and Descendants | [`tid1204`] |
//! | TID 1001, 1002, 1004 Observation Context, Device Observer | [`tid1001`] |
//! | TID 1600, 1602 Image Library | [`tid1600`] |
//! | TID 1410 Planar ROI Measurements | [`tid1410`] |
//! | TID 1411 Volumetric ROI Measurements | [`tid1411`] |
//! | rows that these two share | [`group`] |
//! | TID 1419 ROI Measurements | [`tid1419`] |
//! | TID 4019 Algorithm Identification | [`tid4019`] |

mod document;
mod group;
pub(crate) mod item;
mod qualitative_evaluations;
mod tid1001;
mod tid1204;
mod tid1410;
mod tid1411;
mod tid1419;
mod tid1500;
mod tid1600;
mod tid4019;

pub(crate) use tid1001::device_observer;
pub(crate) use tid1204::language;

use dataset::DataSet;
use dicom_dictionary_std::uids::COMPREHENSIVE3_DSR_STORAGE;
use domain::{InstanceIdentity, SopClassUid};

use crate::iod::{
    SeriesRole, file, put_equipment, put_patient_and_study, put_series, put_sop_common,
    transfer_syntax,
};
use crate::work::Work;
use crate::{ResultInstance, ResultKind, WriteError};

/// Makes the report.
pub(crate) fn write(work: &Work<'_>) -> Result<ResultInstance, WriteError> {
    let identity = InstanceIdentity {
        study: work.source.study.clone(),
        series: work.uids.report_series()?,
        sop_instance: work.uids.report()?,
        sop_class: SopClassUid::parse(COMPREHENSIVE3_DSR_STORAGE)?,
        transfer_syntax: transfer_syntax()?,
    };
    let mut set = DataSet::new();
    put_patient_and_study(&mut set, work.header, &work.source.study);
    put_series(&mut set, work, SeriesRole::Report, identity.series.as_str());
    put_equipment(&mut set, &work.context.device);
    document::put_document(&mut set, work);
    tid1500::measurement_report(work).put_as_root(&mut set);
    put_sop_common(&mut set, work, &identity);
    let file = file(&identity, &set);
    Ok(ResultInstance { kind: ResultKind::Report, identity, file })
}
