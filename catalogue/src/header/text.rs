//! Descriptions as text: of the character sets, those that one can read without a table.

use dataset::{DataSet, Element, Value, tags};
use domain::Tag;

/// A description, or why it cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// Absent or empty.
    Nothing,
    /// Its characters.
    Read(String),
    /// In a character set that needs a table, such as GB18030.
    OtherCharacterSet,
}

/// ASCII, UTF-8 and Latin-1 (ISO_IR 100) are read. Valid UTF-8 is taken as such where no character set is declared; where
/// another is, its bytes may look like UTF-8 and are not.
pub(super) fn text(header: &DataSet, tag: Tag) -> Text {
    let Some(Element { value: Value::Bytes(bytes), .. }) = header.get(tag) else {
        return Text::Nothing;
    };
    if bytes.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Text::Nothing;
    }
    let sets = header.texts(tags::SPECIFIC_CHARACTER_SET);
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    match (str::from_utf8(bytes), &sets[..]) {
        (Ok(text), _) if text.is_ascii() => Text::Read(text.to_owned()),
        (Ok(text), [] | ["ISO_IR 192" | "ISO_IR 6"]) => Text::Read(text.to_owned()),
        (_, ["ISO_IR 100" | "ISO 2022 IR 100"]) => {
            Text::Read(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        _ => Text::OtherCharacterSet,
    }
}
