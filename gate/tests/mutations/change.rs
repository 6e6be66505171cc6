//! Ways to break a data set.

use dataset::{DataSet, Vr};
use domain::Tag;

use crate::made::tags;

const CONTENT: Tag = tags::CONTENT_SEQUENCE;

/// Changes the item at the end of a path of sequences and item numbers from 0.
pub(crate) fn at(set: &mut DataSet, path: &[(Tag, usize)], change: &dyn Fn(&mut DataSet)) {
    let [(tag, index), rest @ ..] = path else { return change(set) };
    let mut items = set.items(*tag).to_vec();
    assert!(*index < items.len(), "{tag} has {} items", items.len());
    at(&mut items[*index], rest, change);
    set.put_items(*tag, items);
}

/// Changes the first content item, wherever it is, whose concept has this value.
pub(crate) fn named(set: &mut DataSet, value: &str, change: &dyn Fn(&mut DataSet)) {
    fn find(set: &DataSet, value: &str) -> Option<Vec<(Tag, usize)>> {
        for (index, child) in set.items(CONTENT).iter().enumerate() {
            let name = child.items(tags::CONCEPT_NAME_CODE_SEQUENCE).first();
            if name.is_some_and(|name| name.text(tags::CODE_VALUE).as_deref() == Some(value)) {
                return Some(vec![(CONTENT, index)]);
            }
            if let Some(mut rest) = find(child, value) {
                rest.insert(0, (CONTENT, index));
                return Some(rest);
            }
        }
        None
    }
    let path = find(set, value).unwrap_or_else(|| panic!("no item {value}"));
    at(set, &path, change);
}

/// Removes the first content item with this concept.
pub(crate) fn without(set: &mut DataSet, value: &str) {
    fn cut(set: &mut DataSet, value: &str) -> bool {
        let mut items = set.items(CONTENT).to_vec();
        let is_it = |child: &DataSet| {
            let name = child.items(tags::CONCEPT_NAME_CODE_SEQUENCE).first();
            name.is_some_and(|name| name.text(tags::CODE_VALUE).as_deref() == Some(value))
        };
        let done = match items.iter().position(is_it) {
            Some(index) => {
                items.remove(index);
                true
            }
            None => items.iter_mut().any(|child| cut(child, value)),
        };
        if done {
            set.put_items(CONTENT, items);
        }
        done
    }
    assert!(cut(set, value), "no item {value}");
}

pub(crate) fn remove(tag: Tag) -> impl Fn(&mut DataSet) {
    move |set| assert!(set.remove(tag).is_some(), "no {tag}")
}

pub(crate) fn text(tag: Tag, vr: Vr, value: &'static str) -> impl Fn(&mut DataSet) {
    move |set| set.put_text(tag, vr, value)
}

pub(crate) fn short(tag: Tag, value: u16) -> impl Fn(&mut DataSet) {
    move |set| set.put_u16s(tag, &[value])
}

pub(crate) fn inside(
    path: &'static [(Tag, usize)],
    change: impl Fn(&mut DataSet) + 'static,
) -> Box<dyn Fn(&mut DataSet)> {
    Box::new(move |set| at(set, path, &change))
}

pub(crate) fn item(
    value: &'static str,
    change: impl Fn(&mut DataSet) + 'static,
) -> Box<dyn Fn(&mut DataSet)> {
    Box::new(move |set| named(set, value, &change))
}

pub(crate) fn cut(value: &'static str) -> Box<dyn Fn(&mut DataSet)> {
    Box::new(move |set| without(set, value))
}

/// Changes the code in a sequence of an item.
pub(crate) fn coded(sequence: Tag, tag: Tag, value: &'static str) -> impl Fn(&mut DataSet) {
    move |set| at(set, &[(sequence, 0)], &|code| code.put_text(tag, Vr::SH, value))
}
