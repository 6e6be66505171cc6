//! Unique Identifiers as types that parse (PS3.5 §9.1), and identifiers derived from what they stand for (PS3.5 §B.2).

use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

/// Why a text is no UID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UidError {
    /// No characters are left after padding is taken off.
    #[error("the UID is empty")]
    Empty,
    /// PS3.5 §9.1 allows 64 characters.
    #[error("the UID has {0} characters, 64 are allowed")]
    TooLong(usize),
    /// A character other than a digit or a dot, or two dots in a row, or a dot at an end.
    #[error("the UID has a character or an empty component that PS3.5 §9.1 does not allow")]
    Malformed,
}

fn parse_uid(text: &str) -> Result<Arc<str>, UidError> {
    let text = text.trim_end_matches(['\0', ' ']);
    if text.is_empty() {
        return Err(UidError::Empty);
    }
    if text.len() > 64 {
        return Err(UidError::TooLong(text.len()));
    }
    // Leading zeros are forbidden by the standard but common; they harm nobody and are kept as sent.
    let component_ok = |c: &str| !c.is_empty() && c.bytes().all(|b| b.is_ascii_digit());
    if text.split('.').all(component_ok) { Ok(text.into()) } else { Err(UidError::Malformed) }
}

macro_rules! uid_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a UID; trailing NUL and space padding is taken off.
            ///
            /// The result holds only digits and single dots, so it is safe as a file name.
            ///
            /// # Errors
            /// [`UidError`] when the text is empty, too long or holds anything but numeric components.
            pub fn parse(text: &str) -> Result<Self, UidError> {
                parse_uid(text).map(Self)
            }

            /// The UID as text, without padding.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uid_type!(
    /// Study Instance UID (0020,000D).
    StudyInstanceUid
);
uid_type!(
    /// Series Instance UID (0020,000E).
    SeriesInstanceUid
);
uid_type!(
    /// SOP Instance UID (0008,0018).
    SopInstanceUid
);
uid_type!(
    /// SOP Class UID (0008,0016).
    SopClassUid
);
uid_type!(
    /// Transfer Syntax UID (0002,0010).
    TransferSyntaxUid
);
uid_type!(
    /// Transaction UID (0008,1195).
    TransactionUid
);
uid_type!(
    /// Frame of Reference UID (0020,0052).
    FrameOfReferenceUid
);

/// The namespace of every UID that parsenode derives: UUIDv5 of the project's name in the DNS namespace.
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"parsenode")
}

/// Derives a UID under 2.25 (PS3.5 §B.2) from the parts that it stands for.
///
/// The same parts in the same order always give the same UID, and the borders between parts count:
/// `["ab", "c"]` and `["a", "bc"]` differ.
#[must_use]
pub fn derive_uid(parts: &[&str]) -> String {
    let mut name = Vec::new();
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    format!("2.25.{}", Uuid::new_v5(&namespace(), &name).as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_never_a_path() {
        for text in ["../x", "/tmp/x", "1..2", ".1", "1.", "1/2", "1.2\\3", "..", "1.2.a", "1 .2"] {
            assert_eq!(SopInstanceUid::parse(text), Err(UidError::Malformed), "{text}");
        }
        assert_eq!(SopInstanceUid::parse("\0"), Err(UidError::Empty));
        assert_eq!(SopInstanceUid::parse(&"1".repeat(65)), Err(UidError::TooLong(65)));
    }

    #[test]
    fn padding_is_taken_off() {
        assert_eq!(SopInstanceUid::parse("1.2.3\0").unwrap().as_str(), "1.2.3");
        assert_eq!(SopInstanceUid::parse(&"1".repeat(64)).unwrap().as_str().len(), 64);
    }

    #[test]
    fn derived_uids_are_stable_valid_and_keep_borders() {
        let uid = derive_uid(&["a", "b"]);
        assert_eq!(uid, derive_uid(&["a", "b"]));
        assert_ne!(derive_uid(&["ab", "c"]), derive_uid(&["a", "bc"]));
        assert!(SopInstanceUid::parse(&uid).is_ok());
    }
}
