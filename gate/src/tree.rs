//! Content items of a report, looked up by name.

use dataset::{DataSet, tags};

/// A name: Code Value and Coding Scheme Designator.
pub(crate) type Name = (&'static str, &'static str);

/// The code in the first item of a sequence: value and scheme.
pub(crate) fn code(set: &DataSet, sequence: domain::Tag) -> Option<(String, String)> {
    let item = set.items(sequence).first()?;
    let value = item.text(tags::CODE_VALUE).or_else(|| item.text(tags::LONG_CODE_VALUE))?;
    Some((value, item.text(tags::CODING_SCHEME_DESIGNATOR)?))
}

/// Whether the first item of a sequence is this code.
pub(crate) fn is_code(set: &DataSet, sequence: domain::Tag, wanted: Name) -> bool {
    code(set, sequence).is_some_and(|(value, scheme)| value == wanted.0 && scheme == wanted.1)
}

/// The items of an item.
pub(crate) fn children(item: &DataSet) -> &[DataSet] {
    item.items(tags::CONTENT_SEQUENCE)
}

/// The items of an item with this name, with their numbers from 1.
pub(crate) fn named(item: &DataSet, name: Name) -> impl Iterator<Item = (usize, &DataSet)> {
    let numbered = (1..).zip(children(item));
    numbered.filter(move |(_, child)| is_code(child, tags::CONCEPT_NAME_CODE_SEQUENCE, name))
}

/// Value Type (0040,A040).
pub(crate) fn value_type(item: &DataSet) -> String {
    item.text(tags::VALUE_TYPE).unwrap_or_default()
}

/// Relationship Type (0040,A010).
pub(crate) fn relationship(item: &DataSet) -> String {
    item.text(tags::RELATIONSHIP_TYPE).unwrap_or_default()
}

/// Calls `each` with every item below an item and its path.
pub(crate) fn walk<'a>(
    item: &'a DataSet,
    path: &str,
    each: &mut impl FnMut(&'a DataSet, &'a DataSet, &str),
) {
    for (number, child) in (1..).zip(children(item)) {
        let path = format!("{path}ContentSequence[{number}].");
        each(item, child, &path);
        walk(child, &path, each);
    }
}
