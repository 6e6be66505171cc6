//! Text of our own in attributes: ASCII, so that it is right under every Specific Character Set of a source.

/// VR LO: at most this many characters.
pub(crate) const LO_MAX: usize = 64;
/// VR ST.
pub(crate) const ST_MAX: usize = 1024;
/// VR LT.
pub(crate) const LT_MAX: usize = 10_240;

/// The text in printable ASCII without backslash, at most `max` characters, no space at either end.
///
/// Other characters become `?`, control characters a space, a backslash a slash (it would divide values).
pub(crate) fn ascii(text: &str, max: usize) -> String {
    let cleaned: String = text.chars().map(printable).collect();
    let kept: String = cleaned.trim().chars().take(max).collect();
    kept.trim_end().to_owned()
}

fn printable(character: char) -> char {
    match character {
        '\\' => '/',
        ' '..='~' => character,
        _ if character.is_control() => ' ',
        _ => '?',
    }
}

/// The text with each character that ASCII lacks written by its number, as `Ni<U+00E8>re`: for words that people gave.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |character: char| {
        if character.is_ascii() || character.is_control() {
            character.to_string()
        } else {
            format!("<U+{:04X}>", u32::from(character))
        }
    };
    text.chars().map(escape).collect()
}

/// As [`ascii`] for an attribute that must not be empty (type 1).
pub(crate) fn required(text: &str, max: usize) -> String {
    let cleaned = ascii(text, max);
    if cleaned.is_empty() { "unknown".into() } else { cleaned }
}

/// `text` and `ending` in at most `max` characters; the ending is never cut.
pub(crate) fn with_ending(text: &str, ending: &str, max: usize) -> String {
    required(text, max.saturating_sub(ending.len())) + ending
}

/// VR CS: at most 16 of upper-case letters, digits, space and underscore.
pub(crate) fn code_string(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let cleaned: String = text.chars().map(allowed).take(16).collect();
    if cleaned.is_empty() { "SEGMENTATION".into() } else { cleaned }
}

/// `value` rounded to `digits` significant decimal digits, so that people are not shown the noise of binary fractions.
pub(crate) fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "decimal texts read back exactly")]
mod tests {
    use super::*;

    #[test]
    fn ascii_keeps_what_every_character_set_has() {
        assert_eq!(ascii(" Leber\\Milz \u{e4}\n", 64), "Leber/Milz ?");
        assert_eq!(ascii("abc def", 4), "abc");
        assert_eq!(ascii("abc def", 5), "abc d");
        assert_eq!(required("\n", 64), "unknown");
    }

    #[test]
    fn words_in_any_script_can_be_told_apart() {
        assert_eq!(escaped("ni\u{e8}re"), "ni<U+00E8>re");
        assert_eq!(escaped("\u{809d}"), "<U+809D>");
        assert_eq!(ascii(&escaped("left\u{85} \\ right"), 64), "left  / right");
    }

    #[test]
    fn endings_survive() {
        assert_eq!(with_ending(&"x".repeat(70), " - end", 64), "x".repeat(58) + " - end");
        assert_eq!(with_ending("a", " - end", 64), "a - end");
    }

    #[test]
    fn code_strings() {
        assert_eq!(code_string("ct-tissue"), "CT_TISSUE");
        assert_eq!(code_string("a-name-that-is-longer-than-16").len(), 16);
        assert_eq!(code_string(""), "SEGMENTATION");
    }

    #[test]
    fn significant_digits() {
        assert_eq!(significant(611.437_215_4, 7), 611.4372);
        assert_eq!(significant(-0.000_123_456_789, 3), -0.000_123);
        assert_eq!(significant(0.0, 7), 0.0);
    }
}
