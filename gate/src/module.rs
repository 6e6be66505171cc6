//! Attributes of modules against a data set: types, value representations, enumerated values, strangers.

use dataset::{DataSet, Element, Value, Vr};
use domain::Tag;

use crate::fault::Faults;

/// Attribute types (PS3.5 §7.4). Conditional ones may be absent; rules of their own say when they must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There, with a value.
    One,
    /// With a value where it is there.
    OneC,
    /// There, perhaps empty.
    Two,
    /// Anything.
    Three,
}

/// What an attribute may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) tag: Tag,
    pub(crate) keyword: &'static str,
    pub(crate) vr: Vr,
    pub(crate) kind: Kind,
    pub(crate) inside: Inside,
}

/// What may be in it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inside {
    /// Any value of its VR.
    Any,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Items with these attributes; so many at least and at most.
    Items(&'static [Attribute], usize, usize),
    /// Items that are copied from the source, or looked at by rules of their own.
    Unseen,
}

/// Holds a data set against a table. `copied` are attributes that come from the source as they are.
pub(crate) fn check_attributes(
    set: &DataSet,
    table: &[Attribute],
    copied: &[Tag],
    path: &str,
    faults: &mut Faults,
) {
    for attribute in table {
        let place = format!("{path}{}", attribute.keyword);
        match set.get(attribute.tag) {
            Some(element) => check_element(set, attribute, element, &place, faults),
            None => faults.unless(
                matches!(attribute.kind, Kind::OneC | Kind::Three),
                "missing-attribute",
                &place,
                || "it is missing".into(),
            ),
        }
    }
    for (tag, _) in set.iter() {
        let known = table.iter().any(|attribute| attribute.tag == *tag) || copied.contains(tag);
        faults.unless(known, "stranger", &format!("{path}{tag}"), || {
            "the object has no such attribute".into()
        });
    }
}

fn check_element(
    set: &DataSet,
    attribute: &Attribute,
    element: &Element,
    place: &str,
    faults: &mut Faults,
) {
    faults.unless(element.vr == attribute.vr, "value-representation", place, || {
        format!("{:?}, not {:?}", element.vr, attribute.vr)
    });
    let is_empty = match &element.value {
        Value::Bytes(bytes) => {
            bytes.iter().all(|byte| matches!(byte, b' ' | 0)) && is_text(element.vr)
                || bytes.is_empty()
        }
        Value::Items(items) => items.is_empty(),
    };
    let may_be_empty = matches!(attribute.kind, Kind::Two | Kind::Three);
    faults.unless(!is_empty || may_be_empty, "empty-attribute", place, || "it is empty".into());
    match attribute.inside {
        Inside::Any | Inside::Unseen => check_uid(set, attribute, place, faults),
        Inside::OneOf(allowed) => {
            let found = set.texts(attribute.tag).join("\\");
            faults.unless(allowed.contains(&found.trim()), "enumerated-value", place, || {
                format!("{found:?}, not {}", allowed.join(" or "))
            });
        }
        Inside::Items(table, least, most) => {
            let items = set.items(attribute.tag);
            faults.unless((least..=most).contains(&items.len()), "item-count", place, || {
                format!("{} items, not {least} to {most}", items.len())
            });
            for (number, item) in (1..).zip(items) {
                check_attributes(item, table, &[], &format!("{place}[{number}]."), faults);
            }
        }
    }
}

fn is_text(vr: Vr) -> bool {
    !matches!(
        vr,
        Vr::US | Vr::UL | Vr::FL | Vr::FD | Vr::AT | Vr::OB | Vr::OW | Vr::SQ | Vr::SS | Vr::SL
    )
}

/// PS3.5 §9.1.
fn check_uid(set: &DataSet, attribute: &Attribute, place: &str, faults: &mut Faults) {
    if attribute.vr != Vr::UI {
        return;
    }
    let uid = set.text(attribute.tag).unwrap_or_default();
    let component = |c: &str| {
        !c.is_empty() && c.bytes().all(|b| b.is_ascii_digit()) && (c == "0" || !c.starts_with('0'))
    };
    let is_uid = uid.len() <= 64 && uid.split('.').all(component);
    faults.unless(is_uid, "uid", place, || format!("{uid:?} is no UID"));
}
