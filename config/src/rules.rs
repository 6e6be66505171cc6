//! `[[rule]]`: conditions by keyword, by tag for private attributes.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;
use domain::{After, Condition, GeometryRange, Orientation, Rule, Tag, Test, Then};
use regex::Regex;

use crate::Faults;
use crate::ask::ask;
use crate::resolve::ae_titles;
use crate::written;

/// The rule; faults go to `faults` under its name.
pub(crate) fn rule(written: &written::Rule, faults: &mut Faults) -> Rule {
    let key = format!("rule {:?}", written.name);
    let conditions = written.conditions.iter();
    let condition = |(keyword, test): (&String, &written::Test)| {
        let key = format!("{key} match.{keyword}");
        let tag = faults.take(&key, tag(keyword));
        let test = faults.take(&key, self::test(test));
        Some(Condition { tag: tag?, keyword: keyword.clone(), test: test? })
    };
    Rule {
        conditions: conditions.filter_map(condition).collect(),
        name: written.name.clone(),
        calling: ae_titles(&format!("{key} calling"), &written.calling, faults),
        called: ae_titles(&format!("{key} called"), &written.called, faults),
        slices: range(&format!("{key} slices"), written.slices, faults),
        slice_spacing_mm: range(
            &format!("{key} slice_spacing_mm"),
            written.slice_spacing_mm,
            faults,
        ),
        orientation: written
            .orientation
            .iter()
            .map(|orientation| self::orientation(*orientation))
            .collect(),
        model: written.model.clone(),
        ask: ask(&key, written, faults),
        destinations: written.destinations.clone(),
        then: match written.then {
            written::Then::Stop => Then::Stop,
            written::Then::Continue => Then::Continue,
        },
        after: match written.after {
            written::After::Series => After::Series,
            written::After::Study => After::Study,
        },
    }
}

fn orientation(written: written::Orientation) -> Orientation {
    match written {
        written::Orientation::Axial => Orientation::Axial,
        written::Orientation::Coronal => Orientation::Coronal,
        written::Orientation::Sagittal => Orientation::Sagittal,
    }
}

fn range(key: &str, written: written::Range, faults: &mut Faults) -> GeometryRange {
    let ordered = match (written.min, written.max) {
        (Some(min), Some(max)) => min <= max,
        (Some(_), None) | (None, Some(_)) | (None, None) => true,
    };
    if !ordered {
        faults.add(key, "min is above max");
    }
    GeometryRange { min: written.min, max: written.max }
}

fn test(written: &written::Test) -> Result<Test, String> {
    match written {
        written::Test::Equals(value) => Ok(Test::OneOf(vec![text(value)])),
        written::Test::OneOf(values) if values.is_empty() => Err("the list is empty".into()),
        written::Test::OneOf(values) => Ok(Test::OneOf(values.iter().map(text).collect())),
        written::Test::Regex(written) => {
            Regex::new(&written.regex).map(Test::Matches).map_err(|error| error.to_string())
        }
        written::Test::Present(written) => Ok(Test::Present(written.present)),
        written::Test::Range(written) => match (written.min, written.max) {
            (None, None) => Err("neither min nor max".into()),
            (Some(min), Some(max)) if min > max => Err("min is above max".into()),
            (min, max) => Ok(Test::Range { min, max }),
        },
    }
}

fn text(scalar: &written::Scalar) -> String {
    match scalar {
        written::Scalar::Text(text) => text.clone(),
        written::Scalar::Whole(number) => number.to_string(),
        written::Scalar::Number(number) => number.to_string(),
    }
}

/// A keyword of PS3.6, or a tag as `(gggg,eeee)` or `ggggeeee`.
fn tag(keyword: &str) -> Result<Tag, String> {
    if let Some(entry) = StandardDataDictionary.by_name(keyword) {
        let tag = entry.tag();
        return Ok(Tag::new(tag.0, tag.1));
    }
    let digits: String = keyword.chars().filter(|c| !"(),".contains(*c)).collect();
    let number = |digits: Option<&str>| digits.and_then(|d| u16::from_str_radix(d, 16).ok());
    match (number(digits.get(..4)), number(digits.get(4..))) {
        (Some(group), Some(element)) if digits.len() == 8 => Ok(Tag::new(group, element)),
        (_, _) => Err(format!("no attribute has this keyword{}", suggestion(keyword))),
    }
}

/// A keyword that is one letter away: missing, too much, wrong, or exchanged with its neighbour.
fn suggestion(keyword: &str) -> String {
    let known = neighbours(keyword).find(|text| StandardDataDictionary.by_name(text).is_some());
    known.map(|known| format!("; is {known} meant?")).unwrap_or_default()
}

fn neighbours(keyword: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = keyword.chars().take(64).collect();
    (0..=letters.len()).flat_map(move |at| {
        let (front, back) = letters.split_at(at);
        let joined = |parts: &[&[char]]| parts.concat().iter().collect::<String>();
        let mut texts = Vec::new();
        if let [first, rest @ ..] = back {
            texts.push(joined(&[front, rest]));
            if let [second, rest @ ..] = rest {
                texts.push(joined(&[front, &[*second, *first], rest]));
            }
            texts.extend(alphabet().map(|letter| joined(&[front, &[letter], rest])));
        }
        texts.extend(alphabet().map(|letter| joined(&[front, &[letter], back])));
        texts
    })
}

fn alphabet() -> impl Iterator<Item = char> {
    ('a'..='z').chain('A'..='Z')
}
