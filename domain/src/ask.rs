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

/// Most prompts and targets together that one rule may name. More is a fault of the configuration.
pub const ASK_TEXTS_MAX: usize = 256;

/// Longest prompt or target, in characters; the 77 tokens that a model takes are fewer. A longer one is a fault of the configuration.
pub const ASK_TEXT_CHARS_MAX: usize = 512;

impl Ask {
    /// What is wrong with it whatever the model is: the key of `[[rule]]`, and what is wrong with its value.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let lists = [("prompts", &self.prompts), ("targets", &self.targets)];
        let Instead { modality, site, sequence, window } = &self.instead;
        let words =
            [("modality", modality), ("site", site), ("sequence", sequence), ("window", window)];
        let of_lists = lists.iter().flat_map(|(key, texts)| texts.iter().map(|text| (*key, text)));
        let of_words = words.iter().filter_map(|(key, text)| Some((*key, text.as_ref()?)));
        for (key, text) in of_lists.chain(of_words) {
            faults.extend(text_fault(text).map(|fault| (key, fault)));
        }
        let count = self.prompts.len() + self.targets.len();
        if count > ASK_TEXTS_MAX {
            faults.push((
                "prompts",
                format!("{count} with the targets, {ASK_TEXTS_MAX} are the most"),
            ));
        }
        if let Some(p) = self.p_least.filter(|p| !(0.0..=1.0).contains(p)) {
            faults.push(("p_least", format!("{p} does not lie between 0 and 1")));
        }
        faults
    }

    /// Whether it asks for nothing: neither words nor recognition. No promptable model can answer it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prompts.is_empty() && self.targets.is_empty() && self.recognise == Recognise::Nothing
    }

    /// Whether nothing of it was set, as it must be for a model that takes no prompts.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn text_fault(text: &str) -> Option<String> {
    let count = text.chars().count();
    if text.trim().is_empty() {
        Some("a text is empty".into())
    } else if count > ASK_TEXT_CHARS_MAX {
        Some(format!("a text has {count} characters, {ASK_TEXT_CHARS_MAX} are the most"))
    } else {
        None
    }
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
    fn settings_alone_are_no_question() {
        let boxes = Ask { boxes: Boxes::Parts, ..Ask::default() };
        assert!(boxes.is_empty() && !boxes.is_default());
        assert!(Ask::default().is_empty() && Ask::default().is_default());
        let all = Ask { recognise: Recognise::All, ..Ask::default() };
        let liver = Ask { targets: vec!["liver".into()], ..Ask::default() };
        let text = Ask { prompts: vec!["liver in abdomen CT".into()], ..Ask::default() };
        assert!([all, liver, text].iter().all(|ask| !ask.is_empty()));
    }

    #[test]
    fn faults_are_found_on_both_sides_of_each_limit() {
        let texts = |count| vec!["x".repeat(ASK_TEXT_CHARS_MAX); count];
        let good = Ask { targets: texts(ASK_TEXTS_MAX), p_least: Some(1.0), ..Ask::default() };
        assert_eq!(good.faults(), []);
        let bad = Ask {
            prompts: vec!["x".repeat(ASK_TEXT_CHARS_MAX + 1)],
            targets: [vec![" ".to_owned()], texts(ASK_TEXTS_MAX)].concat(),
            instead: Instead { site: Some(String::new()), ..Instead::default() },
            p_least: Some(f64::NAN),
            ..Ask::default()
        };
        let keys: Vec<_> = bad.faults().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["prompts", "targets", "site", "prompts", "p_least"]);
        assert_eq!(Ask { p_least: Some(1.01), ..Ask::default() }.faults().len(), 1);
    }

    #[test]
    fn turns_are_named_as_they_are_shown() {
        for (word, mirror, quarters) in Turn::WORDS {
            assert_eq!(Turn::named(word), Some(Turn { mirror, quarters }));
            assert_eq!(Turn { mirror, quarters }.to_string(), word);
        }
        assert_eq!(Turn::named("mirror-0"), Turn::named("mirror"));
        assert_eq!(Turn::named("45"), None);
    }
}
