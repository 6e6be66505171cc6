//! What v2 was trained to find in volumes. It takes free sentences, has no published statistics and says existence itself.

use domain::{CodedConcept, Target};

use crate::catalogue::{Catalogue, NoVerifiedCode, catalogue};
use crate::concept::Concept;
use crate::find::{Context, few_words, other_script, owned};
use crate::imaging::{Imaging, Modality};
use crate::nearest::nearest;
use crate::resolve::{FindError, rival};
use crate::table::{Row, Table, TableFault};
use crate::words::{Meaning, runs_of};

/// A side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

impl Side {
    fn named(name: &str) -> Option<Self> {
        match name {
            "left" => Some(Self::Left),
            "right" => Some(Self::Right),
            _ => None,
        }
    }

    /// Its code of CID 244.
    #[must_use]
    pub fn code(self) -> CodedConcept {
        match self {
            Self::Left => CodedConcept::new("7771000", "SCT", "Left"),
            Self::Right => CodedConcept::new("24028007", "SCT", "Right"),
        }
    }
}

/// A target of v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeTarget {
    /// The part of the published list in which it stands.
    pub group: &'static str,
    /// Its name; also Segment Label.
    pub name: &'static str,
    /// Its side, where it has one.
    pub side: Option<Side>,
    /// Modalities as published: those of v1, and PET, EM, light-sheet.
    pub modalities: Vec<&'static str>,
    /// Key of its concept; `None` where no verified code is known.
    pub concept: Option<&'static str>,
    /// Whether the concept says as much as the name.
    pub exact: bool,
    /// What v1 calls it, where that differs.
    pub same_as: Option<&'static str>,
}

/// A prompt for v2 that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVolume {
    /// The words as they were given.
    pub given: String,
    /// The sentence for the model.
    pub understood: String,
    /// The target.
    pub target: &'static VolumeTarget,
}

/// Reads `volumes.tsv`.
pub(crate) fn read() -> Result<Vec<VolumeTarget>, TableFault> {
    Table::read("volumes.tsv", include_str!("../data/volumes.tsv"))?.map(target)
}

fn target(row: Row<'_>) -> Result<VolumeTarget, TableFault> {
    let concept = row.optional("concept")?;
    Ok(VolumeTarget {
        group: row.text("group")?,
        name: row.text("target")?,
        side: row.optional("side")?.map(|_| row.known("side", Side::named)).transpose()?,
        modalities: row.list("modalities", ",")?,
        concept,
        exact: match concept {
            Some(_) => row.yes("exact")?,
            None => false,
        },
        same_as: row.optional("same_as")?,
    })
}

/// Understands a prompt for v2: a name of its list, or any term of v1 that means the same, with site and modality or without.
///
/// The authors trained with several paraphrases a target. The sentence is "{target} in {site} {modality}", without what is
/// not known.
///
/// # Errors
/// Says why the prompt cannot be used; see [`FindError`]. Sites are not checked.
pub fn find_volume(given: &str, context: &Context) -> Result<FoundVolume, FindError> {
    few_words(given)?;
    if let Some(script) = other_script(given) {
        return Err(FindError::OtherScript { script });
    }
    let runs = runs_of(given);
    let nearest = || owned(nearest(given));
    let unknown = || FindError::Unknown { words: given.trim().into(), nearest: nearest() };
    let runs: Vec<_> = runs.into_iter().collect::<Option<_>>().ok_or_else(unknown)?;
    let target = only_target(&runs)?.ok_or_else(unknown)?;
    let v1_name = target.same_as.unwrap_or(target.name);
    let beside = runs.iter().filter(|meaning| meaning.volume != Some(target.name));
    if let Some(second) = beside.filter_map(|meaning| rival(v1_name, meaning)).next() {
        let (first, second) = (target.name.to_owned(), second.to_owned());
        return Err(FindError::SeveralTargets { first, second });
    }
    let said = runs.iter().find_map(|meaning| meaning.imaging);
    let image = image(said, context)?;
    if let Some(image) = image.filter(|image| !target.is_trained_in(image.modality())) {
        let trained = target.modalities.clone();
        return Err(FindError::WrongModality { target: target.name.into(), trained, image });
    }
    let besides = |meaning: &&Meaning| meaning.volume != Some(target.name);
    let said = runs.iter().copied().filter(besides).find_map(|meaning| meaning.sites.first());
    let site = said.and_then(|name| catalogue().site(name)).or(context.site).map(|site| site.says);
    let modality = image.map(|image| image.modality().name());
    let place: Vec<&str> = site.into_iter().chain(modality).collect();
    let place = if place.is_empty() { String::new() } else { format!(" in {}", place.join(" ")) };
    Ok(FoundVolume { given: given.into(), understood: format!("{}{place}", target.name), target })
}

/// The run that is a target and no site; else the first that may be one. `None` too where v1 knows a target that v2 does not.
fn only_target(runs: &[&'static Meaning]) -> Result<Option<&'static VolumeTarget>, FindError> {
    let volumes = |bare: bool| {
        // Abbreviations such as LA are articles too, unless alone.
        let may = move |meaning: &&&Meaning| !meaning.filler || runs.len() == 1;
        let runs = runs.iter().filter(may);
        let runs = runs.filter(move |meaning| !bare || meaning.sites.is_empty());
        runs.filter_map(|meaning| volume(meaning.volume?))
    };
    let only: Vec<_> = volumes(true).collect();
    if let [first, second, ..] = only[..] {
        return Err(FindError::SeveralTargets {
            first: first.name.into(),
            second: second.name.into(),
        });
    }
    let known_elsewhere = runs.iter().any(|meaning| meaning.is_target_only());
    Ok(only.first().copied().or_else(|| volumes(false).next()).filter(|_| !known_elsewhere))
}

/// The modality of prompt and image together.
fn image(said: Option<Imaging>, context: &Context) -> Result<Option<Imaging>, FindError> {
    match (said, context.imaging()) {
        (Some(said), Some(image)) if said.modality() != image.modality() => {
            Err(FindError::NotThisModality { said, image })
        }
        (said, image) => Ok(image.or(said)),
    }
}

fn volume(name: &str) -> Option<&'static VolumeTarget> {
    catalogue().volumes().iter().find(|target| target.name == name)
}

impl VolumeTarget {
    /// Whether the published list names the modality for it.
    #[must_use]
    pub fn is_trained_in(&self, modality: Modality) -> bool {
        self.modalities.contains(&modality.name())
    }
}

impl Catalogue {
    /// What a segment of a v2 target stands for.
    ///
    /// # Errors
    /// When no verified code is known.
    pub fn volume_target(&self, target: &VolumeTarget) -> Result<Target, NoVerifiedCode> {
        let concept = target.concept.and_then(|key| self.concept(key));
        let concept: &Concept = concept.filter(|concept| concept.verified).ok_or_else(|| {
            NoVerifiedCode { object: target.name, note: "none is in our tables".to_owned() }
        })?;
        let at = self.volumes().iter().position(|other| other.name == target.name).unwrap_or(0);
        let palette = self.objects();
        Ok(Target {
            label: target.name.to_owned(),
            category: concept.category.clone(),
            property_type: concept.property_type.clone(),
            laterality: target.side.map(Side::code),
            anatomic_region: concept.region.clone(),
            color_rgb: palette[at % palette.len()].color_rgb,
        })
    }
}
