//! TID 1204, Language of Content Item and Descendants.

use super::item::Item;
use crate::coding::{ENGLISH, LANGUAGE};

/// English; to be added as concept modifier.
pub(crate) fn language() -> Item {
    Item::code(LANGUAGE, &ENGLISH.concept())
}
