//! Prompts for a model that says itself what it was trained on: its own names, and all terms of our tables for them.

use crate::catalogue::catalogue;
use crate::find::{Context, few_words, other_script};
use crate::imaging::{Imaging, Modality};
use crate::prompt::sentence;
use crate::resolve::{FindError, rival};
use crate::site::Site;
use crate::words::{Meaning, Word, lexicon, plain_key, words};

/// What a model of its own was trained to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelTarget<'m> {
    /// The name that the model was trained with.
    pub name: &'m str,
    /// Where it was trained.
    pub modalities: &'m [Modality],
}

/// A prompt for such a model that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAmong {
    /// The words as they were given.
    pub given: String,
    /// "{target} in {site} {modality}", without what is not known.
    pub understood: String,
    /// Which target, from 0.
    pub index: usize,
}

/// Understands a prompt among the targets of a model: by its name there, or by any term that means the same to v1 or v2.
///
/// # Errors
/// Says why the prompt cannot be used; see [`FindError`]. Sites are not checked.
pub fn find_among(
    given: &str,
    context: &Context,
    targets: &[ModelTarget<'_>],
) -> Result<FoundAmong, FindError> {
    let words = few_words(given)?;
    if let Some(script) = other_script(given) {
        return Err(FindError::OtherScript { script });
    }
    let runs = runs(&words, targets);
    let index = only(&runs, targets)?.filter(|_| runs.iter().all(Run::is_known));
    let index = index.ok_or_else(|| unknown(given, targets))?;
    let beside = runs.iter().filter(|run| run.target != Some(index));
    let mut rivals = beside.filter_map(|run| rival(targets[index].name, run.meaning?));
    if let Some(second) = rivals.next() {
        let (first, second) = (targets[index].name.to_owned(), second.to_owned());
        return Err(FindError::SeveralTargets { first, second });
    }
    let said = runs.iter().find_map(|run| run.meaning?.imaging);
    let image = match (said, context.imaging()) {
        (Some(said), Some(image)) if said.modality() != image.modality() => {
            return Err(FindError::NotThisModality { said, image });
        }
        (said, image) => image.or(said),
    };
    let target = &targets[index];
    if let Some(image) = image.filter(|image| !target.modalities.contains(&image.modality())) {
        let trained = target.modalities.iter().map(|modality| modality.name()).collect();
        return Err(FindError::WrongModality { target: target.name.to_owned(), trained, image });
    }
    let site = runs.iter().find_map(|run| run.site_besides(index)).or(context.site);
    Ok(FoundAmong { given: given.to_owned(), understood: spoken(target.name, site, image), index })
}

fn spoken(target: &str, site: Option<&Site>, image: Option<Imaging>) -> String {
    match (site, image) {
        (Some(site), Some(image)) => sentence(target, site.says, image),
        (Some(site), None) => format!("{target} in {}", site.says),
        (None, Some(image)) => format!("{target} in {image}"),
        (None, None) => target.to_owned(),
    }
}

/// Some words, and what they may mean.
struct Run {
    target: Option<usize>,
    meaning: Option<&'static Meaning>,
    is_name: bool,
}

impl Run {
    fn is_known(&self) -> bool {
        let other = |meaning: &Meaning| {
            meaning.filler || meaning.imaging.is_some() || !meaning.sites.is_empty()
        };
        self.target.is_some() || self.meaning.is_some_and(other)
    }

    /// Whether it can be nothing but a target.
    fn must_be_target(&self) -> bool {
        let other = |meaning: &Meaning| meaning.filler || !meaning.sites.is_empty();
        self.target.is_some() && (self.is_name || !self.meaning.is_some_and(other))
    }

    /// Its site, where it is not the target itself.
    fn site_besides(&self, index: usize) -> Option<&'static Site> {
        let meaning = self.meaning.filter(|_| self.target != Some(index))?;
        catalogue().site(meaning.sites.first()?)
    }
}

/// The words in runs, each as long as can be; names of the model go before terms of the tables.
fn runs(given: &[Word], targets: &[ModelTarget<'_>]) -> Vec<Run> {
    let names: Vec<String> = targets.iter().map(|target| plain_key(&words(target.name))).collect();
    let named = |key: &str| names.iter().position(|name| name == key);
    let (mut runs, mut at) = (vec![], 0);
    while at < given.len() {
        let rest = &given[at..];
        let own = (1..=rest.len())
            .rev()
            .find_map(|length| Some((length, named(&plain_key(&rest[..length]))?)));
        let term = lexicon().longest(rest);
        let (own_length, term_length) = (own.map_or(0, |own| own.0), term.map_or(0, |term| term.0));
        let meaning = term.filter(|_| term_length >= own_length).map(|(_, meaning)| meaning);
        let is_name = own_length >= term_length && own.is_some();
        let by_term = meaning.and_then(|meaning| {
            let known = [meaning.target, meaning.volume, meaning.target.and_then(usual)];
            known.into_iter().flatten().find_map(|name| named(&plain_key(&words(name))))
        });
        let target = own.filter(|_| is_name).map(|(_, index)| index).or(by_term);
        runs.push(Run { target, meaning, is_name });
        at += own_length.max(term_length).max(1);
    }
    runs
}

/// What people call an object type that v1 names in its own way.
fn usual(name: &str) -> Option<&'static str> {
    catalogue().object(name).map(|object| object.label)
}

/// The one target: of runs that can be nothing else, or the first that can.
fn only(runs: &[Run], targets: &[ModelTarget<'_>]) -> Result<Option<usize>, FindError> {
    let mut sure: Vec<usize> =
        runs.iter().filter(|run| run.must_be_target()).filter_map(|run| run.target).collect();
    sure.dedup();
    match sure[..] {
        [first, second, ..] => {
            let name = |index: usize| targets[index].name.to_owned();
            Err(FindError::SeveralTargets { first: name(first), second: name(second) })
        }
        [only] => Ok(Some(only)),
        [] => Ok(runs.iter().find_map(|run| run.target)),
    }
}

/// Most names that are all named where none is near.
const FEW: usize = 24;

/// The nearest of the model's own names; all of them when none is near and they are few.
fn unknown(given: &str, targets: &[ModelTarget<'_>]) -> FindError {
    let near = crate::nearest(given);
    let is_near = |target: &ModelTarget<'_>| near.contains(&target.name);
    let all = !targets.iter().any(is_near) && targets.len() <= FEW;
    let own = targets.iter().filter(|target| all || is_near(target));
    let nearest = own.map(|target| target.name.to_owned()).collect();
    FindError::Unknown { words: given.trim().to_owned(), nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CT: &[Modality] = &[Modality::Ct];
    const BOTH: &[Modality] = &[Modality::Ct, Modality::Mri];
    const TARGETS: [ModelTarget<'_>; 6] = [
        ModelTarget { name: "liver", modalities: BOTH },
        ModelTarget { name: "left kidney", modalities: BOTH },
        ModelTarget { name: "bone", modalities: CT },
        ModelTarget { name: "lung", modalities: CT },
        ModelTarget { name: "inferior vena cava", modalities: CT },
        ModelTarget { name: "aorta", modalities: CT },
    ];

    fn says(words: &str, modality: Modality) -> String {
        let site = catalogue().site("abdomen");
        let context = Context { modality: Some(modality), site, ..Context::default() };
        let found = find_among(words, &context, &TARGETS);
        found.map_or_else(|error| error.to_string(), |found| found.understood)
    }

    #[test]
    fn a_model_of_its_own_is_asked_in_its_own_names() {
        for (words, sentence) in [
            ("Bone", "bone in abdomen CT"),
            ("die linke Niere", "left kidney in abdomen CT"),
            ("LK", "left kidney in abdomen CT"),
            ("IVC", "inferior vena cava in abdomen CT"),
            ("Lunge", "lung in abdomen CT"),
            ("lung in chest CT", "lung in chest CT"),
            ("liver in abdomen CT", "liver in abdomen CT"),
            ("肝脏", "liver in abdomen CT"),
        ] {
            assert_eq!(says(words, Modality::Ct), sentence, "{words}");
        }
        assert_eq!(says("liver", Modality::Mri), "liver in abdomen MRI");
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        assert_eq!(says("bone", Modality::Mri), "bone was only trained in CT, this is MRI");
        assert!(
            says("spleen", Modality::Ct).contains("never trained on \"spleen\"; nearest: liver")
        );
        assert!(says("liver tumor", Modality::Ct).starts_with("the model was never trained"));
        assert!(says("retinal vessel", Modality::Ct).starts_with("the model was never trained"));
        assert!(says("liver and left kidney", Modality::Ct).contains("not for"));
        assert!(says("Leber und Milz", Modality::Ct).contains("never trained"));
        assert!(says("liver, prostate", Modality::Ct).contains("not for liver and prostate"));
        assert!(says("bone and aorta", Modality::Ct).starts_with("one prompt asks for one target"));
        assert!(says("", Modality::Ct).contains("empty"));
        assert!(says("liver MRI", Modality::Ct).contains("the prompt says MRI"));
    }
}
