//! Questions that were understood: what a model is asked about a series, and what was inferred on the way.

use std::fmt::Write as _;

use catalogue::{Beta, Imaging, Site};
use domain::{Boxes, Target, Turn};
use sha2::{Digest as _, Sha256};

use super::tokens;
use crate::manifest::{CtWindow, hex};

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The words as they were given, one entry for each time that it was asked; empty where only recognition asks it.
    pub given: Vec<String>,
    /// The sentence for the model.
    pub understood: String,
    /// What a segment of it stands for.
    pub target: Target,
    pub(crate) imaging: Option<Imaging>,
    pub(crate) site: Option<&'static Site>,
    /// The window of its picture; `None` where it is not CT.
    pub(crate) window: Option<CtWindow>,
    pub(crate) typical: Typical,
    pub(crate) notes: Vec<String>,
}

/// How a mask is compared with those of training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Typical {
    /// With these distributions: mask probability, red, green, blue.
    Distributed(Box<[Beta; 4]>),
    /// There are none, though the model was trained on the target: its masks are reported, unjudged.
    Unjudged,
    /// There are none, and the model was never trained on the words.
    Unknown,
    /// There are, but of pictures with another window.
    OtherWindow,
    /// The model says itself whether the target is there.
    NotAsked,
}

/// How answers to several questions about one slice go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// Each for itself; masks may overlap.
    Alone,
    /// As recognition of v1 combines them: no two overlap.
    Combined,
    /// As v2 merges them: no two overlap.
    Merged,
}

/// Questions to a model about the images of a series: understood, completed from a header, none twice.
#[derive(Debug, Clone)]
pub struct Questions {
    pub(crate) model_sha256: String,
    pub(crate) settings: Vec<String>,
    pub(crate) list: Vec<Question>,
    pub(crate) together: Together,
    pub(crate) boxes: Boxes,
    pub(crate) turn: Turn,
    pub(crate) p_least: f64,
    pub(crate) why: Vec<String>,
}

/// Longest words or sentence in a parameter, in characters: a log line is no place for a novel.
const SHOWN_CHARS_MAX: usize = 200;

impl Questions {
    /// The questions, in the order asked; never empty.
    #[must_use]
    pub fn list(&self) -> &[Question] {
        &self.list
    }

    /// Settings that shape the answers, one `key=value` each, sorted: the model's, then for each question the words given and
    /// understood, its modality, site and window.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        let together = match self.together {
            Together::Alone => "each alone",
            Together::Combined => "combined",
            Together::Merged => "merged",
        };
        let boxes = match self.boxes {
            Boxes::None => "none",
            Boxes::Parts => "of parts",
        };
        let mut parameters = self.settings.clone();
        parameters.push(format!("answers={together}"));
        parameters.push(format!("boxes={boxes}"));
        parameters.push(format!("least p-value={}", self.p_least));
        let inferred = (1..).zip(&self.why);
        parameters
            .extend(inferred.map(|(number, why)| format!("inferred {number:02}={}", short(why))));
        parameters.push(format!("turn={}", self.turn));
        parameters.extend(
            (1..)
                .zip(&self.list)
                .map(|(number, question)| format!("prompt {number:03}={}", question.shown())),
        );
        parameters.sort();
        parameters
    }

    /// What was inferred and why, and what each question means, one line each. Without attribute values of the patient.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        let mut lines = self.why.clone();
        for question in &self.list {
            lines.push(question.shown());
            lines.extend(
                question.notes.iter().map(|note| format!("{}: {note}", question.understood)),
            );
        }
        lines
    }

    /// What answers depend on beside the pixels, 64 hex digits: the model, the settings, the questions.
    #[must_use]
    pub fn key(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.model_sha256);
        for line in self.parameters() {
            digest.update([0]);
            digest.update(line);
        }
        for question in &self.list {
            digest.update([0]);
            digest.update(format!("{:?} {:?}", question.understood, question.typical));
        }
        hex(&digest.finalize())
    }
}

impl Question {
    /// The CT window of its picture, in HU: black and white; `None` where it is not CT.
    #[must_use]
    pub fn window_hu(&self) -> Option<(f64, f64)> {
        self.window.as_ref().map(|window| (window.low_hu, window.high_hu))
    }

    /// The identifiers that the text encoder is given, the two marks included.
    #[must_use]
    pub fn token_ids(&self) -> Vec<i64> {
        // A sentence that is none was refused when the question was made.
        tokens::ids(&self.understood).unwrap_or_default()
    }

    /// In words: given, understood, where.
    fn shown(&self) -> String {
        let given = match self.given.as_slice() {
            [] => "(recognition)".to_owned(),
            given => given
                .iter()
                .map(|words| format!("\"{}\"", short(words)))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let mut shown = format!("{given} understood as \"{}\"", short(&self.understood));
        let or_unknown = |word: Option<&str>| word.unwrap_or("not known").to_owned();
        let modality = or_unknown(self.imaging.map(Imaging::label));
        let site = or_unknown(self.site.map(|site| site.says));
        // Writing to a String does not fail.
        let _infallible = write!(shown, "; modality {modality}, site {site}");
        if let Some(CtWindow { name, low_hu, high_hu }) = &self.window {
            let _infallible = write!(shown, ", window {name} {low_hu} to {high_hu} HU");
        }
        shown
    }
}

/// The beginning of a text, without control characters.
fn short(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = plain.take(SHOWN_CHARS_MAX).collect();
    if text.chars().count() > SHOWN_CHARS_MAX {
        shown.push('…');
    }
    shown
}
