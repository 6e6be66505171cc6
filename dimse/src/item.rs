//! The variable items of PDUs: type, a reserved byte, a 16-bit length, a value (PS3.8 §9.3.2).

use crate::ProtocolError;

const CUT: ProtocolError = ProtocolError::InvalidPdu("an item is longer than the PDU around it");

/// Item types (PS3.8 §9.3.2 and §9.3.3, PS3.7 §D.3.3).
pub(crate) mod kind {
    pub(crate) const APPLICATION_CONTEXT: u8 = 0x10;
    pub(crate) const PROPOSED_CONTEXT: u8 = 0x20;
    pub(crate) const ANSWERED_CONTEXT: u8 = 0x21;
    pub(crate) const ABSTRACT_SYNTAX: u8 = 0x30;
    pub(crate) const TRANSFER_SYNTAX: u8 = 0x40;
    pub(crate) const USER_INFORMATION: u8 = 0x50;
    pub(crate) const MAXIMUM_LENGTH: u8 = 0x51;
    pub(crate) const IMPLEMENTATION_CLASS_UID: u8 = 0x52;
    pub(crate) const OPERATIONS_WINDOW: u8 = 0x53;
    pub(crate) const ROLE_SELECTION: u8 = 0x54;
    pub(crate) const IMPLEMENTATION_VERSION_NAME: u8 = 0x55;
    pub(crate) const USER_IDENTITY: u8 = 0x58;
    pub(crate) const USER_IDENTITY_RESPONSE: u8 = 0x59;
}

/// Takes `count` bytes off the front.
pub(crate) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], ProtocolError> {
    let (head, tail) = rest.split_at_checked(count).ok_or(CUT)?;
    *rest = tail;
    Ok(head)
}

/// Takes one item off the front: its type and its value.
pub(crate) fn take_item<'a>(rest: &mut &'a [u8]) -> Result<(u8, &'a [u8]), ProtocolError> {
    let head = take(rest, 4)?;
    let &[kind, _, high, low] = head else { return Err(CUT) };
    Ok((kind, take(rest, usize::from(u16::from_be_bytes([high, low])))?))
}

/// Takes the place of a byte that is not ASCII: the control character SUB, which is made for this. No title and no UID has it, and
/// it is one byte again when it is written.
const SUBSTITUTE: char = '\u{1A}';

/// Text of a value; padding of any kind is taken off, what is not ASCII is replaced.
pub(crate) fn text(value: &[u8]) -> String {
    let text: String =
        value.iter().map(|&b| if b.is_ascii() { char::from(b) } else { SUBSTITUTE }).collect();
    text.trim_matches([' ', '\0']).to_owned()
}

/// Characters of a text of a peer that are logged or kept: UIDs have 64 at most, and so has VR LO.
const BRIEF_CHARACTERS_MAX: usize = 64;

/// The beginning of a text of a peer, for the log and for what is kept: peers may send far more than the standard allows.
#[must_use]
pub fn brief(text: &str) -> &str {
    let end = text.char_indices().nth(BRIEF_CHARACTERS_MAX);
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Appends an item whose value `write` appends.
///
/// Values that do not fit 16 bits of length cannot occur: the PDUs that we write are bounded by their callers.
pub(crate) fn put_item(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let mut value = Vec::new();
    write(&mut value);
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    value.truncate(usize::from(length));
    out.extend_from_slice(&[kind, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&value);
}

/// Appends an item with a text as its value.
pub(crate) fn put_text(out: &mut Vec<u8>, kind: u8, text: &str) {
    put_item(out, kind, |value| value.extend_from_slice(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_within_items() {
        let mut bytes = Vec::new();
        put_item(&mut bytes, 0x20, |value| put_text(value, 0x30, "1.2"));
        assert_eq!(bytes, b"\x20\0\0\x07\x30\0\0\x031.2");
        let (kind, mut value) = take_item(&mut bytes.as_slice()).unwrap();
        assert_eq!(kind, 0x20);
        assert_eq!(take_item(&mut value).unwrap(), (0x30, b"1.2".as_slice()));
        assert!(value.is_empty());
    }

    #[test]
    fn a_cut_item_is_an_error() {
        for cut in [b"\x20\0\0".as_slice(), b"\x20\0\0\x04abc", b"\x20"] {
            assert_eq!(take_item(&mut &*cut), Err(CUT));
        }
    }

    #[test]
    fn texts_are_cut_behind_64_characters() {
        for text in ["", "1.2.3", &"1".repeat(64), &"Ä".repeat(64)] {
            assert_eq!(brief(text), text);
        }
        assert_eq!(brief(&"Ä".repeat(65)), "Ä".repeat(64));
    }

    #[test]
    fn padding_is_no_text() {
        assert_eq!(text(b" PACS \0"), "PACS");
        assert_eq!(text(b"A\xC4"), "A\u{1A}");
    }
}
