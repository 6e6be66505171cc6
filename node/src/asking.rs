//! What a promptable model is asked: the flags of `run`, and whether the question of each rule suits its model.

use ::catalogue::{Site, catalogue};
use clap::Args;
use dataset::{DataSet, Vr, tags};
use domain::{Ask, Boxes, Instead, Recognise, Rule, Turn, TurnError, Unsuitable, Vocabulary};
use inference::{Kind, Model};

use crate::failure::{Failure, Fault};
use crate::models::Models;

/// The flags of `run` that make up a question. A configuration has keys of the same names.
#[derive(Debug, Args)]
#[command(next_help_heading = "What a promptable model is asked")]
pub(crate) struct AskArgs {
    /// A prompt, such as "liver in abdomen CT"; may be repeated.
    #[arg(long, value_name = "TEXT", conflicts_with = "config")]
    prompt: Vec<String>,
    /// Targets by name, such as liver,spleen: modality, site and sequence come from the header; may be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "config")]
    target: Vec<String>,
    /// Asks for everything that the model knows of such images.
    #[arg(long, conflicts_with = "config")]
    recognise: bool,
    /// Reports boxes around the connected parts of each mask.
    #[arg(long, conflicts_with = "config")]
    boxes: bool,
    /// Lets words leave the catalogue. Without it a prompt that the model was never trained on is refused.
    #[arg(long, conflicts_with = "config")]
    open_vocabulary: bool,
    /// What the images are, instead of what their header says: CT, MRI, X-Ray, pathology, ultrasound, fundus, endoscope,
    /// dermoscopy, OCT.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    modality: Option<String>,
    /// Where in the body they are of, instead of what their header says, such as abdomen.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    site: Option<String>,
    /// The sequence of an MR, instead of what its header says: FLAIR, T1-Gd, T2, ADC.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    sequence: Option<String>,
    /// The CT window, instead of that of the site.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    window: Option<String>,
    /// How a slice is turned before the model sees it: none, 90, 180, 270 (clockwise), or one of these behind `mirror-`.
    #[arg(long, value_name = "TURN", value_parser = turn, conflicts_with = "config")]
    turn: Option<Turn>,
    /// The least p-value of a mask that is reported, 0 to 1.
    #[arg(long, value_name = "P", conflicts_with = "config")]
    p_least: Option<f64>,
}

fn turn(text: &str) -> Result<Turn, TurnError> {
    Turn::parse(text)
}

impl AskArgs {
    /// The question.
    ///
    /// # Errors
    /// Misuse, with everything that is wrong with it whatever the model is.
    pub(crate) fn ask(&self) -> Result<Ask, Failure> {
        let ask = Ask {
            prompts: self.prompt.clone(),
            targets: self.target.clone(),
            recognise: if self.recognise { Recognise::All } else { Recognise::Nothing },
            vocabulary: if self.open_vocabulary { Vocabulary::Open } else { Vocabulary::Closed },
            boxes: if self.boxes { Boxes::Parts } else { Boxes::None },
            instead: Instead {
                modality: self.modality.clone(),
                site: self.site.clone(),
                sequence: self.sequence.clone(),
                window: self.window.clone(),
            },
            turn: self.turn,
            p_least: self.p_least,
        };
        let faults = ask.faults().into_iter().map(|(key, fault)| format!("{key}: {fault}"));
        let faults: Vec<_> = faults.collect();
        if faults.is_empty() {
            Ok(ask)
        } else {
            Err(Failure::new(Fault::Misuse, faults.join("\n")))
        }
    }
}

/// Whether a question suits a model, as far as that can be told without images: only a promptable model is asked, and it is asked
/// something.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn check(model: &Model, ask: &Ask) -> Result<(), String> {
    let name = &model.manifest().identity().name;
    match (model.kind() == Kind::Prompt, ask.is_empty()) {
        (true, true) => Err(format!("{name} has to be asked: give prompts, targets or recognise")),
        (true, false) => Ok(()),
        (false, _) if ask.is_default() => Ok(()),
        (false, _) => Err(format!("{name} takes no prompts: leave out what it is asked")),
    }
}

/// Checks the question of every rule against its model, and warns of words that would be refused whatever the images are.
///
/// # Errors
/// The questions that do not suit their models, all at once.
pub(crate) fn check_rules(rules: &[Rule], models: &Models) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for rule in rules {
        let Some(model) = models.get(&rule.model) else { continue };
        match check(model, &rule.ask) {
            Err(fault) => faults.push(format!("rule {:?}: {fault}", rule.name)),
            Ok(()) => {
                for warning in refused_words(model, &rule.ask) {
                    tracing::warn!("rule {:?}: {warning}", rule.name);
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(Fault::Configuration, faults.join("\n")))
    }
}

/// The prompts and targets that would be understood for no images: of no modality of the model, at no site.
fn refused_words(model: &Model, ask: &Ask) -> Vec<String> {
    let alone = |prompts: &[String], targets: &[String]| {
        let (prompts, targets) = (prompts.to_vec(), targets.to_vec());
        Ask { prompts, targets, recognise: Recognise::Nothing, ..ask.clone() }
    };
    let prompts = ask.prompts.iter().map(|text| alone(std::slice::from_ref(text), &[]));
    let targets = ask.targets.iter().map(|text| alone(&[], std::slice::from_ref(text)));
    let refused = |ask: Ask| {
        let why = refused_always(model, &ask)?;
        Some(format!("refused whatever the images are: {}", why.detail))
    };
    prompts.chain(targets).filter_map(refused).collect()
}

/// The first reason, when there is one for all images.
fn refused_always(model: &Model, ask: &Ask) -> Option<Unsuitable> {
    let header = |modality: &String| {
        let mut header = DataSet::new();
        header.put_text(tags::MODALITY, Vr::CS, modality);
        header
    };
    let mut first = None;
    for header in model.manifest().modalities().iter().map(header) {
        for ask in at_every_site(ask) {
            let why = model.understand(&ask, &header).err()?;
            first.get_or_insert(why);
        }
    }
    first
}

/// The question as it is and, where it names no site, at each that there is.
fn at_every_site(ask: &Ask) -> impl Iterator<Item = Ask> {
    let sites = ask.instead.site.is_none().then(|| catalogue().sites());
    let at = |site: &Site| {
        let instead = Instead { site: Some(site.name.to_owned()), ..ask.instead.clone() };
        Ask { instead, ..ask.clone() }
    };
    std::iter::once(ask.clone()).chain(sites.into_iter().flatten().map(at))
}
