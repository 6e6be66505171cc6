//! Which object type the words mean on these images, and how the model was taught to say it.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::catalogue::catalogue;
use crate::find::{Context, Found};
use crate::imaging::{Imaging, Modality, Sequence};
use crate::object::ObjectType;
use crate::prompt::{TestedPrompt, sentence};
use crate::site::Site;
use crate::words::Meaning;

/// Why a prompt cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FindError {
    /// There is no word in it.
    #[error("the prompt is empty")]
    Empty,
    /// The text encoder takes 77 tokens.
    #[error("the prompt has at least {tokens} tokens, the model takes 77")]
    TooLong {
        /// Tokens, estimated from below.
        tokens: usize,
    },
    /// Words in a script of which the table of terms has none.
    #[error("the prompt is written in {script} script; Latin and Chinese are understood")]
    OtherScript {
        /// Name of the script.
        script: &'static str,
    },
    /// The model was never trained on it.
    #[error("the model was never trained on \"{words}\"{}", or_nearest(.nearest))]
    Unknown {
        /// The words as given.
        words: String,
        /// Targets with a name that is near, best first.
        nearest: Vec<String>,
    },
    /// More than one target: each is a prompt of its own.
    #[error("one prompt asks for one target, not for {first} and {second}")]
    SeveralTargets {
        /// One.
        first: String,
        /// Another.
        second: String,
    },
    /// Words for two modalities.
    #[error("the prompt says {first} and {second}")]
    SeveralModalities {
        /// One.
        first: Imaging,
        /// Another.
        second: Imaging,
    },
    /// The images are of another modality than the words.
    #[error("the prompt says {said}, the image is {image}")]
    NotThisModality {
        /// What the prompt says.
        said: Imaging,
        /// What the image is.
        image: Imaging,
    },
    /// The model was trained on it in other modalities only.
    #[error("{target} was only trained in {}, this is {image}", .trained.join(", "))]
    WrongModality {
        /// The target as understood.
        target: String,
        /// Where it was trained.
        trained: Vec<&'static str>,
        /// What the image is.
        image: Imaging,
    },
    /// The model was trained on it elsewhere in the body.
    #[error("{target} was only trained at {}, this is {site}", .trained.join(", "))]
    WrongSite {
        /// The target as understood.
        target: &'static str,
        /// Where it was trained.
        trained: Vec<&'static str>,
        /// Where the image is.
        site: &'static str,
    },
    /// The words mean several object types and the images do not decide.
    #[error("{target} may be {}; say which, or at which site", .candidates.join(", "))]
    Ambiguous {
        /// The target as understood.
        target: &'static str,
        /// The object types.
        candidates: Vec<&'static str>,
    },
    /// Neither prompt nor images say a modality, and the target was trained in several.
    #[error("{target} was trained in {}; neither prompt nor image says which", .trained.join(", "))]
    NoModality {
        /// The target as understood.
        target: &'static str,
        /// Where it was trained.
        trained: Vec<&'static str>,
    },
}

fn or_nearest(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; nearest: {}", nearest.join(", ")) }
}

/// What the words say.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// A name of `objects.tsv`, or a target of `prompts.tsv`.
    pub(crate) name: &'static str,
    /// Sites, in the order of the words.
    pub(crate) sites: Vec<&'static Site>,
    /// Those of the sites whose word is also a target.
    pub(crate) rivals: Vec<(&'static Site, &'static str)>,
    /// Modality, perhaps with sequence.
    pub(crate) imaging: Option<Imaging>,
}

/// The object type and the sentence.
pub(crate) fn resolve(given: &str, asked: &Asked, context: &Context) -> Result<Found, FindError> {
    let named = named(asked.name);
    let image = image(asked, context, &named)?;
    let said = asked.imaging.is_some_and(|said| said.sequence() != Sequence::Plain);
    let sequence_is_known = said || context.sequence.is_some();
    let trained = trained_in(asked.name, named, image, sequence_is_known)?;
    let object = at_site(asked, context, &trained, image)?;
    if let Some((_, rival)) = asked.rivals.iter().find(|(site, _)| !is_at(object, site)) {
        return Err(FindError::SeveralTargets {
            first: asked.name.to_owned(),
            second: (*rival).to_owned(),
        });
    }
    let (target, site, imaging) = spoken(asked, context, object, image);
    let understood = sentence(&target, site.says, imaging);
    let tested = catalogue().prompts().iter().find(|prompt| {
        prompt.split.is_none() && prompt.object == object.name && prompt.sentence() == understood
    });
    let mut notes = vec![];
    if image.sequence() == Sequence::Plain && imaging.sequence() != Sequence::Plain {
        notes.push(format!("the sequence is not known; {target} was only trained in {imaging}"));
    }
    if let Some(seen) = context.site.filter(|seen| seen.says != site.says) {
        notes.push(format!(
            "the image is {}, the prompt says {}: trained there",
            seen.says, site.says
        ));
    }
    Ok(Found {
        given: given.to_owned(),
        understood,
        tested,
        object: Some(object),
        target,
        site: Some(site),
        imaging: Some(imaging),
        notes,
    })
}

/// All object types that a name may mean: of that name, tested under it, or with it behind a site.
fn named(name: &str) -> Vec<&'static ObjectType> {
    let tested: BTreeSet<&str> = catalogue()
        .prompts()
        .iter()
        .filter(|prompt| prompt.target == name)
        .map(|prompt| prompt.object)
        .collect();
    let behind_site = |object: &ObjectType| behind_site(object) == Some(name);
    let meant = |object: &&ObjectType| {
        object.name == name || tested.contains(object.name) || behind_site(object)
    };
    catalogue().objects().iter().filter(meant).collect()
}

/// "tumor" of "pancreas tumor".
fn behind_site(object: &ObjectType) -> Option<&'static str> {
    let listed = object.sites.iter().filter(|_| object.listed);
    listed.filter_map(|site| object.name.strip_prefix(site)?.strip_prefix(' ')).next()
}

/// The modality of prompt and image together; the sequence of the prompt where the image has none.
fn image(
    asked: &Asked,
    context: &Context,
    named: &[&'static ObjectType],
) -> Result<Imaging, FindError> {
    match (asked.imaging, context.imaging()) {
        (Some(said), Some(image)) => {
            let plain = |imaging: Imaging| imaging.sequence() == Sequence::Plain;
            if said.modality() != image.modality() {
                Err(FindError::NotThisModality { said, image })
            } else if plain(said) || said == image {
                Ok(image)
            } else if plain(image) {
                Ok(said)
            } else {
                Err(FindError::NotThisModality { said, image })
            }
        }
        (Some(only), None) | (None, Some(only)) => Ok(only),
        (None, None) => {
            let trained: BTreeSet<Modality> =
                named.iter().flat_map(|object| object.modalities.iter().copied()).collect();
            let mut all = trained.iter();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(Imaging::new(*only, Sequence::Plain)),
                _ => Err(FindError::NoModality {
                    target: asked.name,
                    trained: trained.iter().map(|modality| modality.name()).collect(),
                }),
            }
        }
    }
}

/// Those that were trained in the modality, and in the sequence where it is known.
fn trained_in(
    target: &'static str,
    named: Vec<&'static ObjectType>,
    image: Imaging,
    sequence_is_known: bool,
) -> Result<Vec<&'static ObjectType>, FindError> {
    let all: BTreeSet<&str> = named.iter().flat_map(|object| labels(object)).collect();
    let fits = |object: &&ObjectType| {
        let labels = labels(object);
        let plain = Imaging::new(image.modality(), Sequence::Plain);
        let any = !sequence_is_known || labels.contains(&plain.label());
        object.modalities.contains(&image.modality()) && (any || labels.contains(&image.label()))
    };
    let fitting: Vec<_> = named.into_iter().filter(fits).collect();
    if fitting.is_empty() {
        let trained = all.into_iter().collect();
        return Err(FindError::WrongModality { target: target.to_owned(), trained, image });
    }
    Ok(fitting)
}

/// Where an object type was trained: modalities, and of MR the sequences under which it was tested, if any.
fn labels(object: &ObjectType) -> Vec<&'static str> {
    let mut labels = vec![];
    for modality in &object.modalities {
        let of = tested(object, *modality);
        if of.is_empty() {
            labels.push(modality.name());
        }
        labels.extend(of.iter().map(|prompt| prompt.imaging.label()));
    }
    labels
}

fn tested(object: &ObjectType, modality: Modality) -> Vec<&'static TestedPrompt> {
    let prompts = catalogue().prompts().iter();
    let of = |prompt: &&TestedPrompt| {
        prompt.object == object.name
            && prompt.imaging.modality() == modality
            && prompt.split.is_none()
    };
    prompts.filter(of).collect()
}

/// The sites that prompt and image say; those of the prompt first.
fn sites(asked: &Asked, context: &Context) -> Vec<&'static Site> {
    if asked.sites.is_empty() { context.site.into_iter().collect() } else { asked.sites.clone() }
}

/// Whether an object type was trained at a site, by the word that prompts say.
fn is_at(object: &ObjectType, site: &Site) -> bool {
    let says =
        |name: &&'static str| catalogue().site(name).is_some_and(|known| known.says == site.says);
    object.sites.iter().any(says)
}

/// A run of words that stands beside a target as its site, and is a target itself, when the first was not trained there.
pub(crate) fn rival(name: &str, beside: &Meaning) -> Option<&'static str> {
    let rival = beside.target?;
    let object = catalogue().object(name);
    let sites = beside.sites.iter().filter_map(|site| catalogue().site(site));
    let mut there = sites.map(|site| object.is_some_and(|object| is_at(object, site)));
    (rival != name && !there.any(|there| there) && !beside.filler).then_some(rival)
}

/// The one that is meant at the site.
fn at_site(
    asked: &Asked,
    context: &Context,
    trained: &[&'static ObjectType],
    image: Imaging,
) -> Result<&'static ObjectType, FindError> {
    let sites = sites(asked, context);
    let exactly = |object: &&&'static ObjectType| {
        tested(object, image.modality()).iter().any(|prompt| {
            prompt.target == asked.name && sites.iter().any(|site| site.says == prompt.site)
        })
    };
    if let [object] = trained.iter().filter(exactly).collect::<Vec<_>>()[..] {
        return Ok(object);
    }
    let here = |object: &&'static ObjectType| sites.iter().any(|site| is_at(object, site));
    let mut near: Vec<_> = trained.iter().copied().filter(here).collect();
    if near.is_empty() {
        near = trained.iter().copied().filter(|object| in_view(object, &sites)).collect();
    }
    let own_name = near.iter().find(|object| object.name == asked.name);
    match (&near[..], own_name) {
        (_, Some(object)) | ([object], None) => Ok(object),
        ([], None) => Err(wrong_site(asked, trained, &sites)),
        (several, None) => Err(FindError::Ambiguous {
            target: asked.name,
            candidates: several.iter().map(|object| object.name).collect(),
        }),
    }
}

/// Whether an image of the sites may show what was trained elsewhere: a CT of the chest may show a liver.
fn in_view(object: &ObjectType, sites: &[&Site]) -> bool {
    let mut parts = object.sites.iter().filter_map(|name| catalogue().site(name));
    parts.any(|trained| sites.iter().all(|site| site.part.may_show(trained.part)))
}

fn wrong_site(
    asked: &Asked,
    trained: &[&'static ObjectType],
    sites: &[&'static Site],
) -> FindError {
    let names: BTreeSet<&str> =
        trained.iter().flat_map(|object| object.sites.iter().copied()).collect();
    FindError::WrongSite {
        target: asked.name,
        trained: names.into_iter().collect(),
        site: sites.first().map_or("nowhere", |site| site.says),
    }
}

/// The words, the site and the modality of the sentence: as tested, as near to what was asked as can be.
fn spoken(
    asked: &Asked,
    context: &Context,
    object: &'static ObjectType,
    image: Imaging,
) -> (String, &'static Site, Imaging) {
    let sites = sites(asked, context);
    let said = |says: &str| sites.iter().any(|site| site.says == says);
    let best = tested(object, image.modality()).into_iter().rev().max_by(|a, b| {
        let rank = |prompt: &TestedPrompt| {
            (prompt.imaging == image, said(prompt.site), prompt.target == asked.name)
        };
        rank(a).cmp(&rank(b)).then(a.dice_median.total_cmp(&b.dice_median))
    });
    let tested_at = best.and_then(|prompt| Some((prompt, catalogue().site(prompt.site)?)));
    if let Some((prompt, site)) = tested_at {
        return (prompt.target.to_owned(), site, prompt.imaging);
    }
    let trained = || object.sites.iter().filter_map(|name| catalogue().site(name));
    let masks = |site: &&Site| catalogue().is_trained_at(site, image.modality());
    let site = trained().filter(masks).find(|site| said(site.says));
    let site = site.or_else(|| trained().find(masks)).or_else(|| trained().next());
    let plain = Imaging::new(image.modality(), Sequence::Plain);
    let target = behind_site(object).unwrap_or(object.name).to_owned();
    // Every object type has a site, which a test of the tables makes sure of.
    (target, site.unwrap_or(&NOWHERE), plain)
}

static NOWHERE: Site = Site {
    name: "other",
    says: "other",
    region: None,
    part: crate::site::Part::Any,
    within: None,
    counted: false,
};
