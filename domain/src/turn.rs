//! A turn as a person writes it: read, or refused with all the words that there are.

use thiserror::Error;

use crate::Turn;

/// A text that is no turn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no turn; there are none, 90, 180, 270, mirror, mirror-90, mirror-180, mirror-270"
)]
pub struct TurnError {
    /// The text.
    pub text: String,
}

impl Turn {
    /// The turn of [`Turn::named`].
    ///
    /// # Errors
    /// [`TurnError`] for words that are none.
    pub fn parse(text: &str) -> Result<Self, TurnError> {
        Self::named(text).ok_or_else(|| TurnError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_turn_is_named() {
        for text in ["", "45", "-90", "mirror90", "mirror-", "mirror-none", "Mirror"] {
            let error = Turn::parse(text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is no turn")), "{error}");
        }
        assert_eq!(Turn::parse("none"), Ok(Turn::default()));
    }
}
