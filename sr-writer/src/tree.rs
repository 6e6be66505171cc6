//! A report as a tree that people can read.

use dataset::DataSet;

use crate::tags;

/// Deepest nesting that is shown; templates of reports stay below ten.
const DEPTH_MAX: usize = 32;

/// Draws the content tree of an SR, one line a content item: name, value, unit, template. Code Values follow in brackets where
/// the value is a code. Images without a name that follow each other, as in an image library, are counted.
///
/// Patient and study attributes are not shown.
#[must_use]
pub fn tree(report: &DataSet) -> String {
    let mut lines = line(report) + "\n";
    draw_children(report, "", 0, &mut lines);
    lines
}

fn draw_children(item: &DataSet, indent: &str, depth: usize, lines: &mut String) {
    let children = grouped(item.items(tags::CONTENT_SEQUENCE));
    let last = children.len().saturating_sub(1);
    for (index, child) in children.iter().enumerate() {
        let (branch, below) = if index == last {
            ("\u{2514}\u{2500} ", "   ")
        } else {
            ("\u{251c}\u{2500} ", "\u{2502}  ")
        };
        let text = match child {
            Child::One(item) => line(item),
            Child::Images(count) => format!("{count} images"),
        };
        lines.extend([indent, branch, &text, "\n"]);
        if let (Child::One(item), true) = (child, depth < DEPTH_MAX) {
            draw_children(item, &format!("{indent}{below}"), depth + 1, lines);
        }
    }
}

enum Child<'a> {
    One(&'a DataSet),
    /// This many images without name and content, one after the other.
    Images(usize),
}

fn grouped(items: &[DataSet]) -> Vec<Child<'_>> {
    let is_plain_image = |item: &DataSet| {
        value_type(item) == "IMAGE"
            && !item.contains(tags::CONCEPT_NAME_CODE_SEQUENCE)
            && !item.contains(tags::CONTENT_SEQUENCE)
    };
    let mut children = Vec::new();
    for run in items.chunk_by(|a, b| is_plain_image(a) && is_plain_image(b)) {
        match run {
            [one] => children.push(Child::One(one)),
            images => children.push(Child::Images(images.len())),
        }
    }
    children
}

fn value_type(item: &DataSet) -> String {
    item.text(tags::VALUE_TYPE).unwrap_or_default()
}

fn line(item: &DataSet) -> String {
    let name = item.items(tags::CONCEPT_NAME_CODE_SEQUENCE).first().map(meaning);
    let template = item.items(tags::CONTENT_TEMPLATE_SEQUENCE).first();
    let template = template.and_then(|template| template.text(tags::TEMPLATE_IDENTIFIER));
    let template = template.map(|identifier| format!(" [TID {identifier}]")).unwrap_or_default();
    let value = value(item);
    match (name, value) {
        (Some(name), Some(value)) => format!("{name}: {value}{template}"),
        (Some(name), None) => name + &template,
        (None, Some(value)) => value + &template,
        (None, None) => value_type(item) + &template,
    }
}

/// Code Meaning, as printable text.
fn meaning(code: &DataSet) -> String {
    printable(&code.text(tags::CODE_MEANING).unwrap_or_default())
}

/// Files of others may hold anything; terminals are shown no control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn text(item: &DataSet, tag: domain::Tag) -> Option<String> {
    item.text(tag).map(|text| printable(&text))
}

fn value(item: &DataSet) -> Option<String> {
    match value_type(item).as_str() {
        "TEXT" => text(item, tags::TEXT_VALUE),
        "CODE" => item.items(tags::CONCEPT_CODE_SEQUENCE).first().map(code),
        "NUM" => Some(number(item)),
        "UIDREF" => text(item, tags::UID),
        "PNAME" => Some("(a name)".into()),
        "DATE" => text(item, tags::DATE),
        "TIME" => text(item, tags::TIME),
        "DATETIME" => text(item, tags::DATE_TIME),
        "IMAGE" | "COMPOSITE" => item.items(tags::REFERENCED_SOP_SEQUENCE).first().map(reference),
        "SCOORD" | "SCOORD3D" => text(item, tags::GRAPHIC_TYPE),
        _ => None,
    }
}

/// Meaning and, in brackets, value and scheme.
pub(crate) fn code(code: &DataSet) -> String {
    let value = [tags::CODE_VALUE, tags::LONG_CODE_VALUE].into_iter().find_map(|t| text(code, t));
    let scheme = text(code, tags::CODING_SCHEME_DESIGNATOR).unwrap_or_default();
    format!("{} ({}, {scheme})", meaning(code), value.unwrap_or_default())
}

fn number(item: &DataSet) -> String {
    let Some(measured) = item.items(tags::MEASURED_VALUE_SEQUENCE).first() else {
        return "no value".into();
    };
    let value = text(measured, tags::NUMERIC_VALUE).unwrap_or_default();
    let unit = measured.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).first();
    match unit.and_then(|unit| text(unit, tags::CODE_VALUE)).as_deref() {
        Some("1") | None => value,
        Some("[hnsf'U]") => format!("{value} HU"),
        // UCUM writes what is counted in braces.
        Some(unit) => format!("{value} {}", unit.trim_matches(['{', '}'])),
    }
}

fn reference(reference: &DataSet) -> String {
    let instance = text(reference, tags::REFERENCED_SOP_INSTANCE_UID).unwrap_or_default();
    let part = |name: &str, tag| {
        let numbers = reference.texts(tag);
        if numbers.is_empty() {
            String::new()
        } else {
            format!("{name} {} of ", numbers.join(", "))
        }
    };
    let segment = part("segment", tags::REFERENCED_SEGMENT_NUMBER);
    let frame = part("frame", tags::REFERENCED_FRAME_NUMBER);
    segment + &frame + &instance
}
