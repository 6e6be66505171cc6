//! The words for a turn of a slice: `none`, `90`, `180`, `270` (clockwise), or one of these behind `mirror-`.

use std::fmt;

use thiserror::Error;

use crate::{Mirror, Quarters, Turn};

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
    /// A turn from its words. `mirror` is `mirror-0`, and `0` is `none`.
    ///
    /// # Errors
    /// [`TurnError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, TurnError> {
        let quarters = |degrees| match degrees {
            "none" | "0" => Some(Quarters::Zero),
            "90" => Some(Quarters::One),
            "180" => Some(Quarters::Two),
            "270" => Some(Quarters::Three),
            _ => None,
        };
        let (mirror, quarters) = match text.strip_prefix("mirror") {
            None => (Mirror::No, quarters(text)),
            Some("") => (Mirror::LeftRight, Some(Quarters::Zero)),
            Some(rest) => {
                let degrees = rest.strip_prefix('-').filter(|degrees| *degrees != "none");
                (Mirror::LeftRight, degrees.and_then(quarters))
            }
        };
        let quarters = quarters.ok_or_else(|| TurnError { text: text.to_owned() })?;
        Ok(Self { mirror, quarters })
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = match self.quarters {
            Quarters::Zero => "0",
            Quarters::One => "90",
            Quarters::Two => "180",
            Quarters::Three => "270",
        };
        match (self.mirror, self.quarters) {
            (Mirror::No, Quarters::Zero) => f.write_str("none"),
            (Mirror::No, Quarters::One | Quarters::Two | Quarters::Three) => f.write_str(degrees),
            (Mirror::LeftRight, Quarters::Zero) => f.write_str("mirror"),
            (Mirror::LeftRight, Quarters::One | Quarters::Two | Quarters::Three) => {
                write!(f, "mirror-{degrees}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_is_read_as_it_is_shown() {
        let all = ["none", "90", "180", "270", "mirror", "mirror-90", "mirror-180", "mirror-270"];
        for text in all {
            assert_eq!(Turn::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Turn::parse("mirror-0"), Turn::parse("mirror"));
        assert_eq!(Turn::parse("0"), Ok(Turn::default()));
    }

    #[test]
    fn what_is_no_turn_is_named() {
        for text in ["", "45", "-90", "mirror90", "mirror-", "mirror-none", "Mirror"] {
            let error = Turn::parse(text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is no turn")), "{error}");
        }
    }
}
