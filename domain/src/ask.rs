//! What a promptable model is asked about a series. Words only: what they mean is for the catalogue and the model to say.

use std::fmt;

/// The questions of one rule, or of one command line, to a promptable model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ask {
    /// Prompts as text, such as "liver in abdomen CT".
    pub prompts: Vec<String>,
    /// Targets by name, completed from the header: "liver".
    pub targets: Vec<String>,
    /// Whether everything is asked for that the model knows of such images.
    pub recognise: Recognise,
    /// Whether words may leave the catalogue.
    pub vocabulary: Vocabulary,
    /// Whether boxes are reported beside the masks.
    pub boxes: Boxes,
    /// What is to be taken for true instead of what the header says.
    pub instead: Instead,
    /// How a slice is turned before the model sees it; `None`: as the model's folder says.
    pub turn: Option<Turn>,
    /// The least p-value of a mask that is reported, 0 to 1; `None`: as the model's folder says.
    pub p_least: Option<f64>,
}

/// Recognition: what is all in here?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recognise {
    /// Only what is asked for by name.
    #[default]
    Nothing,
    /// Every object that the model knows of such images.
    All,
}

/// Whether prompts may leave the catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Vocabulary {
    /// Only what the model was trained on.
    #[default]
    Closed,
    /// Any words.
    Open,
}

/// Detection: which box?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Boxes {
    /// Masks only.
    #[default]
    None,
    /// The tight box around each connected part of each mask, slice by slice.
    Parts,
}

/// What a rule says of images, against their header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instead {
    /// Modality as a prompt says it: `CT`, `MRI`, `X-Ray`, …
    pub modality: Option<String>,
    /// Site as the catalogue names it: `abdomen`, `brain`, …
    pub site: Option<String>,
    /// Sequence of an MR as a prompt says it: `FLAIR`, `T1-Gd`, `T2`, `ADC`.
    pub sequence: Option<String>,
    /// Name of the CT window.
    pub window: Option<String>,
}

/// How a slice is turned before the model sees it: flipped first, then rotated. The mask is turned back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Left and right exchanged.
    pub mirror: Mirror,
    /// Quarters of a turn, clockwise.
    pub quarters: Quarters,
}

/// Whether left and right are exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mirror {
    /// As they are.
    #[default]
    No,
    /// Exchanged.
    LeftRight,
}

/// Quarters of a turn, clockwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quarters {
    /// As it is.
    #[default]
    Zero,
    /// 90 degrees.
    One,
    /// 180 degrees.
    Two,
    /// 270 degrees.
    Three,
}

impl Ask {
    /// Whether nothing at all is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let by_name = !self.prompts.is_empty() || !self.targets.is_empty();
        !by_name && self.recognise == Recognise::Nothing
    }
}

impl Turn {
    /// All eight and the word for each in settings.
    const WORDS: [(&str, Mirror, Quarters); 8] = [
        ("none", Mirror::No, Quarters::Zero),
        ("90", Mirror::No, Quarters::One),
        ("180", Mirror::No, Quarters::Two),
        ("270", Mirror::No, Quarters::Three),
        ("mirror", Mirror::LeftRight, Quarters::Zero),
        ("mirror-90", Mirror::LeftRight, Quarters::One),
        ("mirror-180", Mirror::LeftRight, Quarters::Two),
        ("mirror-270", Mirror::LeftRight, Quarters::Three),
    ];

    /// The turn that a setting names: `none`, `90`, `180`, `270`, `mirror` (also `mirror-0`), `mirror-90`, `mirror-180`,
    /// `mirror-270`; `None` for other words. Degrees are clockwise.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let word = if word == "mirror-0" { "mirror" } else { word };
        let found = Self::WORDS.iter().find(|(name, ..)| *name == word);
        found.map(|(_, mirror, quarters)| Self { mirror: *mirror, quarters: *quarters })
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS
            .iter()
            .find(|(_, mirror, quarters)| (*mirror, *quarters) == (self.mirror, self.quarters));
        f.write_str(word.map_or("none", |(word, ..)| word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_named_as_they_are_shown() {
        for (word, mirror, quarters) in Turn::WORDS {
            assert_eq!(Turn::named(word), Some(Turn { mirror, quarters }));
            assert_eq!(Turn { mirror, quarters }.to_string(), word);
        }
        assert_eq!(Turn::named("mirror-0"), Turn::named("mirror"));
        assert_eq!(Turn::named("45"), None);
    }

    #[test]
    fn boxes_alone_ask_nothing() {
        assert!(Ask { boxes: Boxes::Parts, ..Ask::default() }.is_empty());
        assert!(!Ask { recognise: Recognise::All, ..Ask::default() }.is_empty());
    }
}
