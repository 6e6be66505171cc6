//! The sequence of an MR in a header, as far as prompts tell sequences apart.

use dataset::{DataSet, tags};

use super::text::{Text, text};
use crate::imaging::Sequence;
use crate::words::words;

/// Words for a contrast agent in the names of series.
const WITH_AGENT: [&str; 16] = [
    "gd",
    "gad",
    "gado",
    "gadolinium",
    "gadovist",
    "dotarem",
    "post",
    "ce",
    "contrast",
    "kontrast",
    "km",
    "contraste",
    "t1c",
    "t1ce",
    "t1gd",
    "withagent",
];
/// Words that say that there is none yet.
const WITHOUT_AGENT: [&str; 11] =
    ["pre", "precontrast", "native", "nativ", "without", "ohne", "sans", "sin", "non", "no", "wo"];
/// T1, and sequences that are always T1.
const T1: [&str; 9] = ["t1", "t1w", "t1c", "t1ce", "t1gd", "mprage", "mp2rage", "bravo", "vibe"];
const T2: [&str; 3] = ["t2", "t2w", "t2tse"];
const FLAIR: [&str; 4] = ["flair", "darkfluid", "t2flair", "fluidattenuated"];

/// The sequence, and why; `None` when the header does not say.
///
/// Names decide, then Acquisition Contrast, then the times of the sequence. A FLAIR that says T1 and not T2 is a T1.
pub(super) fn sequence_of(header: &DataSet, why: &mut Vec<String>) -> Option<Sequence> {
    let named = Named::of(header);
    let derived = header.texts(tags::IMAGE_TYPE).iter().any(|value| value == "ADC");
    let contrast = header.text(tags::ACQUISITION_CONTRAST).unwrap_or_default();
    let (sequence, reason) = if derived {
        (Sequence::Adc, "Image Type says ADC")
    } else if named.any(&["adc"]) {
        (Sequence::Adc, "the names of series or protocol say ADC")
    } else if named.flair() {
        (Sequence::Flair, "the names of series or protocol say FLAIR")
    } else if named.any(&T1) {
        of_t1(header, &named)
    } else if named.any(&T2) {
        (Sequence::T2, "the names of series or protocol say T2")
    } else if contrast == "FLUID_ATTENUATED" {
        (Sequence::Flair, "Acquisition Contrast is FLUID_ATTENUATED")
    } else if contrast == "T2" {
        (Sequence::T2, "Acquisition Contrast is T2")
    } else if contrast == "T1" {
        of_t1(header, &named)
    } else {
        return by_times(header, why);
    };
    why.push(format!("sequence {}: {reason}", word(sequence)));
    Some(sequence)
}

fn word(sequence: Sequence) -> &'static str {
    match sequence {
        Sequence::Flair => "FLAIR",
        Sequence::T1Gd => "T1-Gd",
        Sequence::T2 => "T2",
        Sequence::Adc => "ADC",
        Sequence::Plain => "not told apart",
    }
}

/// A T1 with or without contrast agent.
fn of_t1(header: &DataSet, named: &Named) -> (Sequence, &'static str) {
    let agent = header.text(tags::CONTRAST_BOLUS_AGENT).unwrap_or_default().to_lowercase();
    let given = !matches!(agent.trim(), "" | "none" | "no" | "n" | "0" | "ohne" | "sans" | "sin");
    if named.any(&WITHOUT_AGENT) {
        (Sequence::Plain, "a T1 that says that it is before contrast agent")
    } else if given {
        (Sequence::T1Gd, "a T1 with Contrast/Bolus Agent")
    } else if named.any(&WITH_AGENT) {
        (Sequence::T1Gd, "a T1 whose name says contrast agent")
    } else {
        (Sequence::Plain, "a T1 without contrast agent")
    }
}

/// The words of names that people and devices give to a series.
struct Named(Vec<String>);

impl Named {
    fn of(header: &DataSet) -> Self {
        let attributes = [
            tags::SERIES_DESCRIPTION,
            tags::PROTOCOL_NAME,
            tags::PULSE_SEQUENCE_NAME,
            tags::SEQUENCE_NAME,
        ];
        let mut names = vec![];
        for tag in attributes {
            if let Text::Read(text) = text(header, tag) {
                // T2* is no T2: it must not lose its star.
                let text = text.replace("T2*", "t2star").replace("t2*", "t2star");
                // A lone C may be the cervical spine; behind a plus it is contrast agent.
                let text = text.replace("+C", " withagent ").replace("+c", " withagent ");
                names.extend(words(&text.replace('_', " ")).into_iter().map(|word| word.plain));
            }
        }
        Self(names)
    }

    fn any(&self, words: &[&str]) -> bool {
        self.0.iter().any(|word| words.contains(&word.as_str()))
    }

    fn flair(&self) -> bool {
        let dark = self.0.windows(2).any(|pair| pair == ["dark", "fluid"]);
        (self.any(&FLAIR) || dark) && (!self.any(&T1) || self.any(&T2))
    }
}

/// What the times of a spin echo say, in ms: a long inversion is FLAIR, a long echo is T2.
fn by_times(header: &DataSet, why: &mut Vec<String>) -> Option<Sequence> {
    let time = |tag| header.number(tag).unwrap_or(0.0);
    let (repetition, echo) = (time(tags::REPETITION_TIME), time(tags::ECHO_TIME));
    let inversion = time(tags::INVERSION_TIME);
    if echo < 70.0 || repetition < 2_000.0 {
        why.push("the sequence is not known: no attribute says it".to_owned());
        return None;
    }
    let sequence = if inversion >= 1_500.0 { Sequence::Flair } else { Sequence::T2 };
    why.push(format!(
        "sequence {}: Echo Time is above 70 ms, Repetition Time above 2 s, Inversion Time {}",
        word(sequence),
        if sequence == Sequence::Flair { "above 1.5 s" } else { "short or absent" }
    ));
    Some(sequence)
}
