//! From the words of a prompt to an entry of the catalogue and the sentence that the model was trained with.

use crate::catalogue::catalogue;
use crate::imaging::{Imaging, Modality, Sequence};
use crate::object::ObjectType;
use crate::prompt::TestedPrompt;
use crate::resolve::{Asked, resolve};
use crate::site::Site;
use crate::words::{Meaning, Word, is_han, lexicon, words};
use crate::{FindError, nearest};

/// What is known of the images that a prompt is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The modality; `None`: not one of the nine, or not known.
    pub modality: Option<Modality>,
    /// The site; `None`: not known. It is never guessed.
    pub site: Option<&'static Site>,
    /// The sequence of an MR; `None`: the header does not say, or it is not MR.
    pub sequence: Option<Sequence>,
    /// How each was inferred, in sentences for the log.
    pub why: Vec<String>,
}

impl Context {
    /// Modality and sequence as a prompt says them.
    #[must_use]
    pub fn imaging(&self) -> Option<Imaging> {
        let sequence = self.sequence.unwrap_or(Sequence::Plain);
        self.modality.map(|modality| Imaging::new(modality, sequence))
    }
}

/// Whether prompts may leave the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Only what the model was trained on.
    Closed,
    /// Words that the catalogue does not know go to the model as they are; those that it knows must fit the images.
    Open,
}

/// A prompt that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The words as they were given.
    pub given: String,
    /// The sentence for the model.
    pub understood: String,
    /// The object type; `None` only of an open vocabulary.
    pub object: Option<&'static ObjectType>,
    /// The words for the object in the sentence.
    pub target: String,
    /// The site in the sentence.
    pub site: Option<&'static Site>,
    /// Modality and sequence in the sentence.
    pub imaging: Option<Imaging>,
    /// The test task of the sentence; `None`: no Dice was published for it.
    pub tested: Option<&'static TestedPrompt>,
    /// What was completed or assumed, in sentences for log and report.
    pub notes: Vec<String>,
}

/// Tokens that the text encoder takes, its two marks included.
const TOKENS_MAX: usize = 77;
/// No token is longer; words are taken to have as few tokens as that allows.
const TOKEN_CHARS_MAX: usize = 64;

/// Understands a prompt for images.
///
/// The number of tokens is estimated from below, as one a word of up to 64 letters; the tokenizer of the model decides.
///
/// # Errors
/// Says why the prompt cannot be used; see [`FindError`].
pub fn find(given: &str, context: &Context, vocabulary: Vocabulary) -> Result<Found, FindError> {
    let words = few_words(given)?;
    match (read(given, &words), vocabulary) {
        (Ok(asked), _) => resolve(given, &asked, context),
        (Err(error), Vocabulary::Closed) => Err(error),
        (Err(error), Vocabulary::Open) => Ok(open(given, context, &error)),
    }
}

/// The words of a prompt, when there are some and not too many.
pub(crate) fn few_words(given: &str) -> Result<Vec<Word>, FindError> {
    let words = words(given);
    let of = |word: &Word| word.plain.chars().count().div_ceil(TOKEN_CHARS_MAX);
    let tokens = words.iter().map(of).sum::<usize>() + 2;
    if words.is_empty() {
        Err(FindError::Empty)
    } else if tokens > TOKENS_MAX {
        Err(FindError::TooLong { tokens })
    } else {
        Ok(words)
    }
}

/// What an open vocabulary makes of words that are not in the catalogue.
fn open(given: &str, context: &Context, error: &FindError) -> Found {
    let understood = given.split_whitespace().collect::<Vec<_>>().join(" ");
    Found {
        given: given.to_owned(),
        target: understood.clone(),
        understood,
        object: None,
        site: context.site,
        imaging: context.imaging(),
        tested: None,
        notes: vec![format!("sent as it is, because the vocabulary is open: {error}")],
    }
}

/// Finds target, sites and modality among the words.
fn read(given: &str, words: &[Word]) -> Result<Asked, FindError> {
    if let Some(script) = other_script(given) {
        return Err(FindError::OtherScript { script });
    }
    let mut runs = vec![];
    let (mut at, mut unknown) = (0, false);
    while at < words.len() {
        if let Some((length, meaning)) = lexicon().longest(&words[at..]) {
            runs.push((&words[at..at + length], meaning));
            at += length;
        } else {
            unknown = true;
            at += 1;
        }
    }
    let target = if unknown { Err(unknown_words(given)) } else { target(given, words, &runs) }?;
    let (_, meaning) = runs.remove(target);
    let Some(name) = meaning.target else { return Err(unknown_words(given)) };
    let mut asked = Asked { name, sites: vec![], rivals: vec![], imaging: None };
    for (_, meaning) in &runs {
        if let Some(imaging) = meaning.imaging {
            asked.imaging = Some(both(asked.imaging, imaging)?);
        } else {
            let sites = meaning.sites.iter().filter_map(|name| catalogue().site(name));
            asked.rivals.extend(sites.clone().filter_map(|site| Some((site, meaning.target?))));
            asked.sites.extend(sites);
        }
    }
    Ok(asked)
}

/// Which run is the target: the one that can be nothing else, or the first that can.
fn target(given: &str, words: &[Word], runs: &[(&[Word], &Meaning)]) -> Result<usize, FindError> {
    let can = |(run, meaning): &(&[Word], &Meaning)| {
        // Abbreviations such as LA are articles too, unless written in capitals or alone.
        let capitals = run.iter().all(|word| word.as_written.chars().all(char::is_uppercase));
        meaning.target.is_some() && (!meaning.filler || capitals || run.len() == words.len())
    };
    let must = |run: &(&[Word], &Meaning)| {
        let (_, meaning) = run;
        let other = meaning.filler || meaning.imaging.is_some() || !meaning.sites.is_empty();
        can(run) && !other
    };
    let only: Vec<usize> = (0..runs.len()).filter(|at| must(&runs[*at])).collect();
    match only[..] {
        [] => runs.iter().position(can).ok_or_else(|| unknown_words(given)),
        [only] => Ok(only),
        [first, second, ..] => {
            let name = |at: usize| runs[at].1.target.unwrap_or_default().to_owned();
            Err(FindError::SeveralTargets { first: name(first), second: name(second) })
        }
    }
}

/// A modality and another word for it: `MRI` and `FLAIR` are one, `CT` and `MRI` are not.
fn both(first: Option<Imaging>, second: Imaging) -> Result<Imaging, FindError> {
    let Some(first) = first else { return Ok(second) };
    let plain = |imaging: Imaging| imaging.sequence() == Sequence::Plain;
    if first.modality() != second.modality() || !(first == second || plain(first) || plain(second))
    {
        return Err(FindError::SeveralModalities { first, second });
    }
    Ok(if plain(first) { second } else { first })
}

fn unknown_words(given: &str) -> FindError {
    FindError::Unknown { words: given.trim().to_owned(), nearest: owned(nearest(given)) }
}

/// Names as an error holds them.
pub(crate) fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// The first letter that is neither Latin nor Chinese, by the name of its script.
pub(crate) fn other_script(given: &str) -> Option<&'static str> {
    let letters = given.chars().filter(|letter| letter.is_alphabetic() && !is_han(*letter));
    letters.filter_map(script).next()
}

fn script(letter: char) -> Option<&'static str> {
    match letter {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}' => None,
        '\u{370}'..='\u{3ff}' => Some("Greek"),
        '\u{400}'..='\u{52f}' => Some("Cyrillic"),
        '\u{590}'..='\u{5ff}' => Some("Hebrew"),
        '\u{600}'..='\u{77f}' => Some("Arabic"),
        '\u{900}'..='\u{97f}' => Some("Devanagari"),
        '\u{e00}'..='\u{e7f}' => Some("Thai"),
        '\u{3040}'..='\u{30ff}' => Some("Japanese"),
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => Some("Korean"),
        _ => Some("another"),
    }
}
