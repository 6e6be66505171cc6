//! Module tables as data (PS3.3, 2026b), as far as our results go: what is not here is a stranger in them. An optional attribute
//! that we always write is as good as required.

mod common;
mod copied;
mod frames;
mod report;
mod segmentation;

use dataset::Vr;
use domain::Tag;

use crate::module::{Attribute, Inside, Kind};

pub(crate) use common::COMMON;
pub(crate) use copied::COPIED;
pub(crate) use report::{ITEM, REPORT};
pub(crate) use segmentation::SEGMENTATION;

/// No bound on items.
const MANY: usize = usize::MAX;

const fn row(tag: Tag, keyword: &'static str, vr: Vr, kind: Kind, inside: Inside) -> Attribute {
    Attribute { tag, keyword, vr, kind, inside }
}
