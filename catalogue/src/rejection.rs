//! Why something that was looked for is not reported: four reasons that mean different things to a reader.

use std::fmt;

use crate::beta::Beta;
use crate::catalogue::Catalogue;
use crate::statistics::{MaskStatistics, TargetStatistics};

/// The reason.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejection {
    /// The model marked no pixel: it says itself that the target is not there.
    EmptyMask,
    /// The model marked something that does not look like the target.
    LowP {
        /// The p-value, 0 to 1, below the threshold.
        p: f64,
    },
    /// The target has no place in the model's training, or no statistics of its kind.
    UnknownTarget {
        /// What comes nearest, best first; may be empty.
        nearest: Vec<String>,
    },
    /// The picture was made with another CT window than the statistics assume, so a p-value would mean nothing.
    WindowMismatch {
        /// The window of the picture.
        used: String,
        /// The window of the statistics.
        expected: String,
    },
}

impl Rejection {
    /// A word for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyMask => "empty-mask",
            Self::LowP { .. } => "low-p",
            Self::UnknownTarget { .. } => "unknown-target",
            Self::WindowMismatch { .. } => "window-mismatch",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyMask => f.write_str("not found: the mask is empty"),
            Self::LowP { p } => write!(f, "not like the target: p = {p:.4}"),
            Self::UnknownTarget { nearest } if nearest.is_empty() => {
                f.write_str("not a target of the model")
            }
            Self::UnknownTarget { nearest } => {
                write!(f, "not a target of the model; nearest: {}", nearest.join(", "))
            }
            Self::WindowMismatch { used, expected } => {
                write!(f, "not judged: made with window {used}, the statistics assume {expected}")
            }
        }
    }
}

/// The statistics of a liver whose picture was not made with the window for the abdomen.
const LIVER_ELSEWHERE: &str = "liver (non abdomen window)";

impl Catalogue {
    /// The statistics of a target of a type of recognition, for a picture made with a CT window.
    ///
    /// `kind` and `target` are words of `recognition.tsv` and `statistics.tsv`; `window` is the name of a v1 window, and
    /// is not looked at where the modality is not CT. A liver has statistics for other windows too.
    ///
    /// # Errors
    /// [`Rejection::UnknownTarget`] without statistics; [`Rejection::WindowMismatch`] when they are of another window.
    pub fn statistics_for(
        &self,
        kind: &str,
        target: &str,
        window: Option<&str>,
    ) -> Result<&TargetStatistics, Rejection> {
        let of_kind = || self.statistics().iter().filter(|row| row.kind == kind);
        let of = |target: &str| of_kind().find(|row| row.target == target);
        let unknown = || Rejection::UnknownTarget {
            nearest: of_kind().map(|row| row.target.to_owned()).collect(),
        };
        of(target).ok_or_else(unknown)?;
        let name = self.statistics_name((kind, target), window, |name| of(name).is_some())?;
        of(name).ok_or_else(unknown)
    }

    /// The name under which a table of statistics holds a target for a picture made with a CT window: that of the target, or
    /// that of a liver elsewhere.
    ///
    /// `of` is a type of recognition and a target that the table holds, `window` as in [`Self::statistics_for`]; `holds` says
    /// of a name whether the table holds it for this type.
    ///
    /// # Errors
    /// [`Rejection::WindowMismatch`] when what the table holds is of another window.
    pub fn statistics_name<'a>(
        &self,
        of: (&str, &'a str),
        window: Option<&str>,
        holds: impl Fn(&str) -> bool,
    ) -> Result<&'a str, Rejection> {
        let (kind, target) = of;
        let recognition = self.recognition().iter().find(|row| row.name == kind);
        let Some(expected) = recognition.and_then(|row| row.window) else { return Ok(target) };
        let used = window.unwrap_or("none");
        if used == expected {
            Ok(target)
        } else if target == "liver" && holds(LIVER_ELSEWHERE) {
            Ok(LIVER_ELSEWHERE)
        } else {
            Err(Rejection::WindowMismatch { used: used.into(), expected: expected.into() })
        }
    }
}

/// Both gates of v1: an empty mask, then the p-value for the distributions of a target, published or of a model's own file.
/// Gives the p-value of what passes.
///
/// Upstream advises a threshold of 0.05.
///
/// # Errors
/// [`Rejection::EmptyMask`], or [`Rejection::LowP`] below `p_min`.
pub fn judge(
    distributions: &[Beta; 4],
    mask: &MaskStatistics,
    p_min: f64,
) -> Result<f64, Rejection> {
    if mask.is_empty() {
        return Err(Rejection::EmptyMask);
    }
    let p = mask.p_value(distributions);
    if p < p_min { Err(Rejection::LowP { p }) } else { Ok(p) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    #[test]
    fn statistics_belong_to_a_window() {
        let of = |kind, target, window| catalogue().statistics_for(kind, target, window);
        assert_eq!(of("CT-Abdomen", "spleen", Some("abdomen")).unwrap().target, "spleen");
        let mismatch = of("CT-Abdomen", "spleen", Some("liver")).unwrap_err();
        assert_eq!(mismatch.code(), "window-mismatch");
        assert_eq!(of("CT-Abdomen", "liver", Some("abdomen")).unwrap().target, "liver");
        assert_eq!(of("CT-Abdomen", "liver", Some("liver")).unwrap().target, LIVER_ELSEWHERE);
        assert_eq!(of("MRI-Abdomen", "spleen", None).unwrap().kind, "MRI-Abdomen");
        assert_eq!(of("CT-Chest", "nodule", None).unwrap_err().code(), "window-mismatch");
    }

    #[test]
    fn the_four_reasons_differ() {
        let liver =
            &catalogue().statistics_for("MRI-Abdomen", "liver", None).unwrap().distributions;
        assert_eq!(judge(liver, &MaskStatistics([0.0; 4]), 0.05), Err(Rejection::EmptyMask));
        let strange = MaskStatistics([0.7, 0.1, 0.1, 0.1]);
        let low = judge(liver, &strange, 0.05).unwrap_err();
        assert_eq!(low.code(), "low-p");
        assert!(judge(liver, &strange, 0.0).is_ok(), "without a threshold nothing is rejected");
        let unknown = catalogue().statistics_for("Dermoscopy", "liver", None).unwrap_err();
        assert_eq!(unknown.to_string(), "not a target of the model; nearest: lesion, melanoma");
    }
}
