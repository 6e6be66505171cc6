//! `[[label]]`: what each channel of the output stands for.

use domain::{CodedConcept, Target};

use super::keys::Section;
use super::output::Activation;
use crate::faults::Faults;

/// A channel of the output and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Index of the channel, from 0.
    pub(crate) channel: usize,
    /// What it stands for.
    pub(crate) target: Target,
}

/// Colours of labels that name none, one after the other: well apart, also for most people who do not see all colours.
pub(super) const COLORS: [[u8; 3]; 8] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [213, 94, 0],
    [240, 228, 66],
    [148, 103, 189],
];

/// Reads all labels; at least one, no channel twice.
pub(crate) fn read_labels(
    root: &mut Section,
    activation: Activation,
    faults: &mut Faults,
) -> Vec<Label> {
    let sections = root.sections("label", faults);
    if sections.is_empty() {
        faults.add("label", "at least one [[label]] is wanted");
    }
    let mut labels: Vec<Label> = Vec::new();
    for (index, section) in sections.into_iter().enumerate() {
        let at = section.at("channel");
        let label = read_label(section, COLORS[index % COLORS.len()], faults);
        if labels.iter().any(|earlier| earlier.channel == label.channel) {
            faults.add(&at, format!("channel {} has a label already", label.channel));
        }
        if activation == Activation::Softmax && label.channel == 0 {
            faults.add(&at, "channel 0 is the background where activation is \"softmax\"");
        }
        labels.push(label);
    }
    labels
}

fn read_label(mut keys: Section, color: [u8; 3], faults: &mut Faults) -> Label {
    if !keys.has("channel") {
        faults.add(keys.at("channel"), "missing");
    }
    let channel = keys.whole("channel", 0, faults).unwrap_or(usize::MAX);
    let label = keys.required_text("label", faults);
    check_text(&keys.at("label"), &label, 64, faults);
    let category = read_code(&mut keys, "category", faults);
    let property_type = read_code(&mut keys, "type", faults);
    for (key, code) in [("category", &category), ("type", &property_type)] {
        if code.is_none() {
            faults.add(keys.at(key), "a code is wanted: { value = , scheme = , meaning = }");
        }
    }
    let laterality = read_code(&mut keys, "laterality", faults);
    let anatomic_region = read_code(&mut keys, "anatomic_region", faults);
    let color_rgb = read_color(&mut keys, faults).unwrap_or(color);
    keys.finish(faults);
    let none = || CodedConcept::new("", "", "");
    let target = Target {
        label,
        category: category.unwrap_or_else(none),
        property_type: property_type.unwrap_or_else(none),
        laterality,
        anatomic_region,
        color_rgb,
    };
    Label { channel, target }
}

fn read_code(keys: &mut Section, key: &'static str, faults: &mut Faults) -> Option<CodedConcept> {
    let present = keys.has(key);
    let mut code = keys.section(key, faults);
    if !present {
        return None;
    }
    let [value, scheme, meaning] =
        [("value", 16), ("scheme", 16), ("meaning", 64)].map(|(part, characters_max)| {
            let text = code.required_text(part, faults);
            check_text(&code.at(part), &text, characters_max, faults);
            text
        });
    code.finish(faults);
    Some(CodedConcept { value, scheme, meaning })
}

/// SH and LO: no more than so many characters, no backslash, no control characters (PS3.5 §6.2).
fn check_text(at: &str, text: &str, characters_max: usize, faults: &mut Faults) {
    let characters = text.chars().count();
    if characters > characters_max {
        faults.add(at, format!("{characters} characters, {characters_max} are allowed"));
    }
    if text.contains(|c: char| c == '\\' || c.is_control()) {
        faults.add(at, "backslashes and control characters are not allowed");
    }
}

fn read_color(keys: &mut Section, faults: &mut Faults) -> Option<[u8; 3]> {
    let text = keys.text("color", faults)?;
    let color = parse_color(&text);
    if color.is_none() {
        faults.add(keys.at("color"), format!("#rrggbb is wanted, not \"{text}\""));
    }
    color
}

fn parse_color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}
