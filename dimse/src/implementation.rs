//! How this implementation names itself on an Association (PS3.7 §D.3.3.2).

use domain::derive_uid;

/// Implementation Class UID: derived, so that no root needs to be registered. File meta information names the same one.
#[must_use]
pub fn implementation_class_uid() -> String {
    derive_uid(&["implementation class"])
}

/// Implementation Version Name, at most 16 characters.
#[must_use]
pub fn implementation_version_name() -> &'static str {
    "PARSENODE_0.1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_their_items() {
        assert!(implementation_class_uid().len() <= 64);
        assert!(implementation_version_name().len() <= 16);
    }
}
