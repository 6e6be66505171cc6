//! Modules that Segmentation and report share, one writer each (PS3.3).
//!
//! Each function puts the attributes of its module and of no other. What comes from the source is copied as bytes.

mod body_part;
mod contributing_equipment;
mod copied;
mod created_at;
mod equipment;
mod file;
mod frame_of_reference;
mod reference;
mod request;
mod series;
mod sop_common;

pub(crate) use contributing_equipment::put_contributing_equipment;
pub(crate) use copied::{copy, put_patient_and_study};
pub(crate) use created_at::CreatedAt;
pub(crate) use equipment::put_equipment;
pub(crate) use file::{file, rle_syntax, transfer_syntax};
pub(crate) use frame_of_reference::put_frame_of_reference;
pub(crate) use reference::{evidence_item, put_sop_reference, series_items, sop_reference};
pub(crate) use request::put_referenced_request;
pub(crate) use series::{SeriesRole, put_series};
pub(crate) use sop_common::put_sop_common;
