//! What is asked, and a header, become questions.

use catalogue::{Context, Modality, RecognitionType, Rejection, catalogue};
use dataset::{DataSet, tags};
use domain::{Ask, Recognise, Unsuitable};

use super::context::{check_no_whole_slide, context_for};
use super::questions::{Question, Questions, Together, Typical};
use super::windows::{Sought, window_for, windows_of};
use super::words::{Understood, understand};
use super::{refused, tokens};
use crate::manifest::{Generation, PromptSpec, Statistics, Vocabulary};
use crate::model::Model;
use crate::preprocess::check_modality;

/// Most questions to a series; one more is refused.
pub(super) const QUESTIONS_MAX: usize = 256;

impl Model {
    /// Understands what is asked, for images with such a header: words are harmonised by the catalogue, completed from the header,
    /// and asked once where they mean the same.
    ///
    /// At most 256 questions, each of at most 77 tokens.
    ///
    /// # Errors
    /// [`domain::UnsuitableCode::PromptRefused`], naming the words and what comes nearest;
    /// [`domain::UnsuitableCode::WrongModality`]; [`domain::UnsuitableCode::WholeSlide`].
    pub fn understand(&self, ask: &Ask, header: &DataSet) -> Result<Questions, Unsuitable> {
        let spec = self.manifest().prompting()?;
        check_no_whole_slide(header)?;
        if let Some(p_least) = ask.p_least.filter(|p| !(0.0..=1.0).contains(p)) {
            return Err(refused(format!("least p-value {p_least}: p-values are from 0 to 1")));
        }
        if ask.instead.modality.is_none() {
            check_modality(self.manifest(), &header.text(tags::MODALITY).unwrap_or_default())?;
        }
        let context = context_for(header, &ask.instead)?;
        let asking = Asking { spec, ask, context: &context };
        let list = asking.questions()?;
        Ok(Questions {
            model_sha256: self.manifest().identity().sha256.clone(),
            settings: self.settings().to_vec(),
            together: together(spec.generation, ask.recognise),
            list,
            boxes: ask.boxes,
            turn: ask.turn.unwrap_or(spec.turn),
            p_least: ask.p_least.unwrap_or(spec.p_least),
            why: context.why.clone(),
        })
    }
}

fn together(generation: Generation, recognise: Recognise) -> Together {
    match (generation, recognise) {
        (Generation::V1, Recognise::Nothing) => Together::Alone,
        (Generation::V1, Recognise::All) => Together::Combined,
        (Generation::V2, Recognise::Nothing | Recognise::All) => Together::Merged,
    }
}

/// What does not change while questions are made.
struct Asking<'a> {
    spec: &'a PromptSpec,
    ask: &'a Ask,
    context: &'a Context,
}

impl Asking<'_> {
    fn questions(&self) -> Result<Vec<Question>, Unsuitable> {
        let mut list: Vec<Question> = Vec::new();
        for words in self.ask.prompts.iter().chain(&self.ask.targets) {
            let mut question = self.question(words)?;
            question.given.push(words.clone());
            add(&mut list, question)?;
        }
        if self.ask.recognise == Recognise::All {
            for name in self.all()? {
                let question = self.question(name)?;
                add(&mut list, question)?;
            }
        }
        if list.is_empty() {
            return Err(refused("nothing is asked: prompts, targets or recognition are wanted"));
        }
        Ok(list)
    }

    /// Everything that the model knows of such images, by name.
    fn all(&self) -> Result<Vec<&str>, Unsuitable> {
        let of_modality = || {
            self.context.modality.ok_or_else(|| {
                refused("recognition needs a modality; the images have none of the nine")
            })
        };
        let names: Vec<&str> = match &self.spec.vocabulary {
            Vocabulary::V1 => return self.recognition_v1(),
            Vocabulary::V2 => {
                let modality = of_modality()?;
                let targets = catalogue().volumes().iter();
                let known = targets.filter(|target| {
                    target.is_trained_in(modality) && catalogue().volume_target(target).is_ok()
                });
                known.map(|target| target.name).collect()
            }
            Vocabulary::Own(targets) => {
                let modality: Modality = of_modality()?;
                let known = targets.iter().filter(|own| own.modalities.contains(&modality));
                known.map(|own| own.name.as_str()).collect()
            }
        };
        if names.is_empty() {
            return Err(refused("recognition: the model was trained on nothing in this modality"));
        }
        Ok(names)
    }

    fn recognition_v1(&self) -> Result<Vec<&str>, Unsuitable> {
        let kind = catalogue().recognition_for(self.context).ok_or_else(|| {
            let known: Vec<&str> = catalogue().recognition().iter().map(|kind| kind.name).collect();
            let (modality, site) = (self.context.imaging(), self.context.site);
            let modality = modality.map_or("an unknown modality", |imaging| imaging.label());
            let site = site.map_or("an unknown site", |site| site.says);
            refused(format!(
                "recognition: no type for {modality} of {site}; types are {}",
                known.join(", ")
            ))
        })?;
        Ok(kind.targets.clone())
    }

    fn question(&self, words: &str) -> Result<Question, Unsuitable> {
        let understood =
            understand(words, &self.spec.vocabulary, self.context, self.ask.vocabulary);
        let understood = understood.map_err(|why| refused_prompt(words, &why))?;
        tokens::ids(&understood.sentence)
            .map_err(|error| refused_prompt(words, &error.to_string()))?;
        let recognition = recognition(&understood);
        let is_ct = understood.imaging.is_some_and(|imaging| imaging.modality() == Modality::Ct);
        let sought = Sought { site: understood.site, recognition, volume: understood.volume };
        let asked = self.ask.instead.window.as_deref();
        let window = is_ct.then(|| window_for(self.spec, asked, sought)).transpose()?;
        let typical =
            self.typical(&understood, recognition, window.as_ref().map(|w| w.name.as_str()));
        Ok(Question {
            given: Vec::new(),
            understood: understood.sentence,
            target: understood.target,
            imaging: understood.imaging,
            site: understood.site,
            window,
            typical,
            notes: understood.notes,
        })
    }

    /// What a mask is compared with: the model's own distributions, or the published ones of v1.
    fn typical(
        &self,
        understood: &Understood,
        recognition: Option<&RecognitionType>,
        window: Option<&str>,
    ) -> Typical {
        let distributed = |four| Typical::Distributed(Box::new(four));
        let kind = recognition.map(|kind| kind.name);
        let without = match understood.vocabulary {
            domain::Vocabulary::Closed => Typical::Unjudged,
            domain::Vocabulary::Open => Typical::Unknown,
        };
        match (&self.spec.statistics, self.spec.generation) {
            (Some(own), Generation::V2) => {
                let found = kind.and_then(|kind| own.of(kind, &understood.spoken));
                found.map_or(without, |four| distributed(*four))
            }
            (Some(own), Generation::V1) => {
                let found = recognition
                    .and_then(|kind| self.of_window(own, (kind, &understood.spoken), window));
                found.unwrap_or(without)
            }
            (None, Generation::V2) => Typical::NotAsked,
            (None, Generation::V1) => {
                let Some(kind) = kind else { return without };
                match catalogue().statistics_for(kind, &understood.spoken, window) {
                    Ok(found) => distributed(found.distributions),
                    Err(Rejection::WindowMismatch { .. }) => Typical::OtherWindow,
                    Err(
                        Rejection::UnknownTarget { .. }
                        | Rejection::EmptyMask
                        | Rejection::LowP { .. },
                    ) => without,
                }
            }
        }
    }

    /// A model's own distributions of a target of a type, or that they are of another window; `None` without any.
    ///
    /// Where the model has no window as its type has it, they are of the windows that it has.
    fn of_window(
        &self,
        own: &Statistics,
        (kind, target): (&RecognitionType, &str),
        window: Option<&str>,
    ) -> Option<Typical> {
        let found = own.of(kind.name, target)?;
        let has = |expected| windows_of(self.spec).iter().any(|window| window.name == expected);
        if !kind.window.is_some_and(has) {
            return Some(Typical::Distributed(Box::new(*found)));
        }
        let holds = |name: &str| own.of(kind.name, name).is_some();
        let Ok(name) = catalogue().statistics_name((kind.name, target), window, holds) else {
            return Some(Typical::OtherWindow);
        };
        own.of(kind.name, name).map(|four| Typical::Distributed(Box::new(*four)))
    }
}

/// The type of recognition of the images that a sentence speaks of.
fn recognition(understood: &Understood) -> Option<&'static RecognitionType> {
    let imaging = understood.imaging?;
    let context = Context {
        modality: Some(imaging.modality()),
        sequence: Some(imaging.sequence()),
        site: understood.site,
        why: Vec::new(),
    };
    catalogue().recognition_for(&context)
}

/// What means the same is asked once, and keeps all words.
fn add(list: &mut Vec<Question>, question: Question) -> Result<(), Unsuitable> {
    let same = |known: &&mut Question| {
        known.understood == question.understood && known.window == question.window
    };
    if let Some(known) = list.iter_mut().find(same) {
        known.given.extend(question.given);
        return Ok(());
    }
    if list.len() >= QUESTIONS_MAX {
        return Err(refused(format!("more than {QUESTIONS_MAX} prompts")));
    }
    list.push(question);
    Ok(())
}

fn refused_prompt(words: &str, why: &str) -> Unsuitable {
    let shown: String = words.chars().filter(|c| !c.is_control()).take(80).collect();
    refused(format!("\"{shown}\": {why}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use catalogue::Beta;
    use domain::Instead;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::manifest::{Manifest, hex};

    /// A liver in the window of the abdomen and in others, and a spleen; told apart by their first number.
    const STATISTICS: &str = r#"{"CT-Abdomen": {
        "liver": [[1, 2], [1, 2], [1, 2], [1, 2]],
        "liver (non abdomen window)": [[3, 2], [1, 2], [1, 2], [1, 2]],
        "spleen": [[5, 2], [1, 2], [1, 2], [1, 2]]}}"#;

    /// The tiny v1 with statistics of its own, and more in its manifest.
    fn manifest(more: &str) -> Manifest {
        let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/prompt-v1-tiny");
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(tiny).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        fs::write(folder.path().join("target_dist.json"), STATISTICS).unwrap();
        let path = folder.path().join("model.toml");
        let text = fs::read_to_string(&path).unwrap();
        let sha256 = hex(&Sha256::digest(STATISTICS));
        let files =
            format!("[files.statistics]\nfile = \"target_dist.json\"\nsha256 = \"{sha256}\"");
        fs::write(&path, format!("{text}\n{files}\n{more}")).unwrap();
        Manifest::read(folder.path()).unwrap()
    }

    /// The first number of what the mask of a target is compared with in a CT of the abdomen.
    fn first(manifest: &Manifest, target: &str, window: &str) -> Result<Beta, Typical> {
        let instead = Instead {
            modality: Some("CT".into()),
            site: Some("abdomen".into()),
            window: Some(window.into()),
            ..Instead::default()
        };
        let context = context_for(&DataSet::default(), &instead).unwrap();
        let ask = Ask { instead, ..Ask::default() };
        let spec = manifest.prompting().unwrap();
        let asking = Asking { spec, ask: &ask, context: &context };
        let typical = asking.question(target).unwrap().typical;
        if let Typical::Distributed(four) = &typical { Ok(four[0]) } else { Err(typical) }
    }

    #[test]
    fn statistics_of_its_own_belong_to_a_window_as_the_published_ones_do() {
        let manifest = manifest("");
        let beta = |a| Ok(Beta::new(a, 2.0).unwrap());
        assert_eq!(first(&manifest, "liver", "abdomen"), beta(1.0));
        assert_eq!(first(&manifest, "liver", "lung"), beta(3.0));
        assert_eq!(first(&manifest, "spleen", "abdomen"), beta(5.0));
        assert_eq!(first(&manifest, "spleen", "lung"), Err(Typical::OtherWindow));
        assert_eq!(first(&manifest, "pancreas", "lung"), Err(Typical::Unjudged));
    }

    #[test]
    fn statistics_of_its_own_belong_to_windows_of_its_own() {
        let manifest = manifest("[[window]]\nname = \"trunk\"\nlow_hu = -400\nhigh_hu = 500\n");
        assert_eq!(first(&manifest, "spleen", "trunk"), Ok(Beta::new(5.0, 2.0).unwrap()));
    }
}
