//! Application Entity Titles (PS3.5 §6.2, VR AE).

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Why a text is no AE title.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AeTitleError {
    /// Only spaces.
    #[error("the AE title is empty")]
    Empty,
    /// PS3.5 §6.2 allows 16 characters.
    #[error("the AE title has {0} characters, 16 are allowed")]
    TooLong(usize),
    /// A backslash, a control character or one outside ASCII.
    #[error("the AE title has a character that PS3.5 §6.2 does not allow")]
    Malformed,
}

/// An Application Entity Title: 1 to 16 printable ASCII characters, no backslash, no space at either end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AeTitle(Arc<str>);

impl AeTitle {
    /// Parses a title; spaces at both ends are not significant and are taken off.
    ///
    /// # Errors
    /// [`AeTitleError`] when it is empty, too long or holds a character that VR AE does not allow.
    pub fn parse(text: &str) -> Result<Self, AeTitleError> {
        let text = text.trim_matches([' ', '\0']);
        if text.is_empty() {
            return Err(AeTitleError::Empty);
        }
        if text.len() > 16 {
            return Err(AeTitleError::TooLong(text.len()));
        }
        let allowed = |b: u8| (0x20..0x7f).contains(&b) && b != b'\\';
        if text.bytes().all(allowed) { Ok(Self(text.into())) } else { Err(AeTitleError::Malformed) }
    }

    /// The title as text, without padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_each_bound() {
        assert_eq!(AeTitle::parse(" PACS ").unwrap().as_str(), "PACS");
        assert_eq!(AeTitle::parse("  "), Err(AeTitleError::Empty));
        assert!(AeTitle::parse(&"A".repeat(16)).is_ok());
        assert_eq!(AeTitle::parse(&"A".repeat(17)), Err(AeTitleError::TooLong(17)));
        assert_eq!(AeTitle::parse("A\\B"), Err(AeTitleError::Malformed));
        assert_eq!(AeTitle::parse("Ä"), Err(AeTitleError::Malformed));
    }
}
