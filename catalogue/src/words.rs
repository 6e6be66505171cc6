//! Words as people write them, and what each may mean: a target, a site, a modality, or nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::catalogue::{Catalogue, catalogue};
use crate::imaging::Imaging;
use crate::table::{Table, TableFault};

/// A word without case, accents and hyphens, beside how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) plain: String,
    pub(crate) as_written: String,
}

/// Splits a text into words: runs of letters and digits; each Chinese character is one.
pub(crate) fn words(text: &str) -> Vec<Word> {
    split(text)
        .into_iter()
        .map(|as_written| Word { plain: plain(&as_written), as_written })
        .collect()
}

fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![];
    let mut open = false;
    for character in text.chars() {
        if is_han(character) {
            words.push(character.into());
            open = false;
        } else if !character.is_alphanumeric() {
            open = open && is_combining(character);
        } else if let Some(word) = words.last_mut().filter(|_| open) {
            word.push(character);
        } else {
            words.push(character.into());
            open = true;
        }
    }
    words
}

/// Chinese characters, of the basic block and its first extension.
pub(crate) fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// An accent that stands alone, behind its letter.
fn is_combining(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// Lower case without accents.
pub(crate) fn plain(word: &str) -> String {
    let mut plain = String::new();
    for character in word.chars().flat_map(char::to_lowercase) {
        match character {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => plain.push('a'),
            'è' | 'é' | 'ê' | 'ë' => plain.push('e'),
            'ì' | 'í' | 'î' | 'ï' => plain.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => plain.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => plain.push('u'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'ß' => plain.push_str("ss"),
            'œ' => plain.push_str("oe"),
            'æ' => plain.push_str("ae"),
            _ if is_combining(character) => {}
            _ => plain.push(character),
        }
    }
    plain
}

/// German without its own letters.
fn spelled_out(term: &str) -> String {
    let pairs = [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")];
    pairs.iter().fold(term.to_owned(), |term, (letter, pair)| term.replace(letter, pair))
}

/// What a run of words may mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The words of a target: a name of `objects.tsv` or of `prompts.tsv`.
    pub(crate) target: Option<&'static str>,
    /// A target of v2, by its name.
    pub(crate) volume: Option<&'static str>,
    /// Names of sites.
    pub(crate) sites: Vec<&'static str>,
    /// A modality, perhaps with its sequence.
    pub(crate) imaging: Option<Imaging>,
    /// Nothing.
    pub(crate) filler: bool,
}

impl Meaning {
    /// Whether it is a target of v1 and nothing else, not even a target of v2.
    pub(crate) fn is_target_only(&self) -> bool {
        let other = self.filler || self.imaging.is_some() || !self.sites.is_empty();
        self.target.is_some() && self.volume.is_none() && !other
    }
}

/// What the runs of a text mean, longest first from the beginning; `None` for a word that nobody knows.
pub(crate) fn runs_of(text: &str) -> Vec<Option<&'static Meaning>> {
    let words = words(text);
    let (mut runs, mut at) = (vec![], 0);
    while at < words.len() {
        let run = lexicon().longest(&words[at..]);
        at += run.map_or(1, |(length, _)| length);
        runs.push(run.map(|(_, meaning)| meaning));
    }
    runs
}

/// All that we understand.
#[derive(Debug)]
pub(crate) struct Lexicon {
    meanings: BTreeMap<String, Meaning>,
    longest: usize,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| match Lexicon::read(catalogue()) {
    Ok(lexicon) => lexicon,
    // The text is part of the program and a test reads it, so nobody can meet this.
    Err(fault) => unreachable!("{fault}"),
});

/// The lexicon; read at the first call.
pub(crate) fn lexicon() -> &'static Lexicon {
    &LEXICON
}

impl Lexicon {
    /// The words of the catalogue, then those of `terms.tsv`.
    pub(crate) fn read(catalogue: &Catalogue) -> Result<Self, TableFault> {
        let mut lexicon = Self { meanings: BTreeMap::new(), longest: 0 };
        let of_prompts = catalogue.prompts().iter().map(|prompt| prompt.target);
        for target in catalogue.objects().iter().map(|object| object.name).chain(of_prompts) {
            lexicon.entry(target).target = lookup_target(catalogue, target);
        }
        for site in catalogue.sites().filter(|site| site.counted && site.name != "other") {
            lexicon.entry(site.name).sites.push(site.name);
        }
        for label in crate::imaging::Modality::ALL.map(|modality| modality.name()) {
            lexicon.entry(label).imaging = Imaging::labelled(label);
        }
        for prompt in catalogue.prompts() {
            lexicon.entry(prompt.imaging.label()).imaging = Some(prompt.imaging);
        }
        lexicon.add_terms(catalogue)?;
        lexicon.add_volumes(catalogue);
        Ok(lexicon)
    }

    fn add_terms(&mut self, catalogue: &Catalogue) -> Result<(), TableFault> {
        let table = Table::read("terms.tsv", include_str!("../data/terms.tsv"))?;
        let rows = table.map(|row| {
            row.text("language")?;
            row.text("source")?;
            let means = row.text("means")?;
            let meaning = match row.text("kind")? {
                "target" => {
                    Meaning { target: lookup_target(catalogue, means), ..Meaning::default() }
                }
                "site" => {
                    let sites = catalogue.site(means).map(|site| vec![site.name]);
                    Meaning { sites: sites.unwrap_or_default(), ..Meaning::default() }
                }
                "modality" => Meaning { imaging: Imaging::labelled(means), ..Meaning::default() },
                "filler" => Meaning { filler: true, ..Meaning::default() },
                other => return Err(row.fault(format!("there is no kind {other}"))),
            };
            if meaning == Meaning::default() {
                return Err(row.fault(format!("nobody knows {means}")));
            }
            Ok((row.list("terms", ";")?, meaning, row.fault("a term that means two things")))
        })?;
        for (terms, meaning, fault) in rows {
            for term in terms {
                for form in [term.to_owned(), spelled_out(term)] {
                    self.add(&form, &meaning).map_err(|()| TableFault {
                        problem: format!("{}: {term}", fault.problem),
                        ..fault.clone()
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The names of v2, also for all terms of v1 that mean the same.
    fn add_volumes(&mut self, catalogue: &Catalogue) {
        for volume in catalogue.volumes() {
            let same = volume.same_as.unwrap_or(volume.name);
            for meaning in self.meanings.values_mut().filter(|known| known.target == Some(same)) {
                meaning.volume = Some(volume.name);
            }
        }
        for volume in catalogue.volumes() {
            self.entry(volume.name).volume = Some(volume.name);
        }
    }

    /// One more meaning of a term; a second target or modality is a fault.
    fn add(&mut self, term: &str, meaning: &Meaning) -> Result<(), ()> {
        let entry = self.entry(term);
        let clash = |old: bool, same: bool| old && !same;
        if meaning.target.is_some() {
            if clash(entry.target.is_some(), entry.target == meaning.target) {
                return Err(());
            }
            entry.target = meaning.target;
        }
        if meaning.imaging.is_some() {
            if clash(entry.imaging.is_some(), entry.imaging == meaning.imaging) {
                return Err(());
            }
            entry.imaging = meaning.imaging;
        }
        for site in &meaning.sites {
            if !entry.sites.contains(site) {
                entry.sites.push(site);
            }
        }
        entry.filler |= meaning.filler;
        Ok(())
    }

    fn entry(&mut self, term: &str) -> &mut Meaning {
        let words = words(term);
        self.longest = self.longest.max(words.len());
        self.meanings.entry(plain_key(&words)).or_default()
    }

    /// The longest run of words from the beginning that means something, and what.
    pub(crate) fn longest(&self, words: &[Word]) -> Option<(usize, &Meaning)> {
        let lengths = (1..=self.longest.min(words.len())).rev();
        lengths
            .filter_map(|length| Some((length, self.meanings.get(&plain_key(&words[..length]))?)))
            .next()
    }

    /// All terms for targets, as plain words with spaces, and what they mean.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.meanings.iter().filter_map(|(term, meaning)| Some((term.as_str(), meaning.target?)))
    }
}

/// Plain words with spaces between them.
pub(crate) fn plain_key(words: &[Word]) -> String {
    let plain: Vec<&str> = words.iter().map(|word| word.plain.as_str()).collect();
    plain.join(" ")
}

/// The name as the catalogue has it.
fn lookup_target(catalogue: &Catalogue, name: &str) -> Option<&'static str> {
    let of_objects = catalogue.objects().iter().map(|object| object.name);
    let of_prompts = catalogue.prompts().iter().map(|prompt| prompt.target);
    of_objects.chain(of_prompts).find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_words(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.plain).collect()
    }

    #[test]
    fn case_accents_and_hyphens_do_not_matter() {
        assert_eq!(plain_words("T2-FLAIR  Œsophage"), ["t2", "flair", "oesophage"]);
        assert_eq!(plain_words("Ho\u{308}hle, l'œil"), ["hohle", "l", "oeil"]);
        assert_eq!(plain_words("左肾CT"), ["左", "肾", "ct"]);
        assert!(plain_words(" -,; ").is_empty());
    }

    #[test]
    fn all_terms_are_understood_as_their_rows_say() {
        let lexicon = Lexicon::read(catalogue()).unwrap();
        let of = |term: &str| lexicon.longest(&words(term)).unwrap();
        assert_eq!(of("IVC").1.target, Some("postcava"));
        assert_eq!(of("Gallenblase").1.target, Some("gallbladder"));
        assert_eq!(of("oesophagus").1.target, Some("esophagus"));
        assert_eq!(of("Oesophagus").1.target, of("Ösophagus").1.target);
        assert_eq!(of("left kidney and"), (2, of("LK").1));
        assert!(lexicon.longest(&words("frobnicate")).is_none());
        assert!(lexicon.targets().count() > 800, "{}", lexicon.targets().count());
    }
}
