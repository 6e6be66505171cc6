//! All tables together, parsed once, and the questions that need more than one of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::{CodedConcept, Target};
use thiserror::Error;

use crate::concept::{self, Concept};
use crate::find::Context;
use crate::imaging::{Imaging, Modality, Sequence};
use crate::object::{self, Category, ObjectType};
use crate::prompt::{self, TestedPrompt};
use crate::recognition::{self, RecognitionType};
use crate::site::{self, Site, Training};
use crate::statistics::{self, TargetStatistics};
use crate::table::TableFault;
use crate::volume::{self, VolumeTarget};
use crate::window::{self, Version, Window};

/// The tables of `catalogue/data/`.
#[derive(Debug)]
pub struct Catalogue {
    concepts: BTreeMap<&'static str, Concept>,
    sites: BTreeMap<&'static str, Site>,
    training: Vec<Training>,
    objects: Vec<ObjectType>,
    prompts: Vec<TestedPrompt>,
    recognition: Vec<RecognitionType>,
    statistics: Vec<TargetStatistics>,
    windows: Vec<Window>,
    volumes: Vec<VolumeTarget>,
}

/// An object type that has no code that may be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{object} has no verified code: {note}")]
pub struct NoVerifiedCode {
    /// Its name.
    pub object: &'static str,
    /// What is known about its code.
    pub note: String,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| match Catalogue::read() {
    Ok(catalogue) => catalogue,
    // The text is part of the program and a test reads it, so nobody can meet this.
    Err(fault) => unreachable!("{fault}"),
});

/// The catalogue; read at the first call.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// Reads all tables.
    ///
    /// # Errors
    /// The first fault, with its file and line.
    pub fn read() -> Result<Self, TableFault> {
        let concepts = concept::read()?.into_iter().map(|concept| (concept.key, concept)).collect();
        Ok(Self {
            concepts,
            sites: site::read()?,
            training: site::read_training()?,
            objects: object::read()?,
            prompts: prompt::read()?,
            recognition: recognition::read()?,
            statistics: statistics::read()?,
            windows: window::read()?,
            volumes: volume::read()?,
        })
    }

    /// All coded concepts.
    pub fn concepts(&self) -> impl Iterator<Item = &Concept> {
        self.concepts.values()
    }

    /// A concept by its key.
    #[must_use]
    pub fn concept(&self, key: &str) -> Option<&Concept> {
        self.concepts.get(key)
    }

    /// All sites.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.values()
    }

    /// A site by its name.
    #[must_use]
    pub fn site(&self, name: &str) -> Option<&Site> {
        self.sites.get(name)
    }

    /// Training masks by modality and site.
    #[must_use]
    pub fn training(&self) -> &[Training] {
        &self.training
    }

    /// Whether the training data of a modality has masks at a site, by the word that prompts say.
    #[must_use]
    pub fn is_trained_at(&self, site: &Site, modality: Modality) -> bool {
        let says = |name: &str| self.site(name).is_some_and(|known| known.says == site.says);
        let mut rows = self.training.iter().filter(|row| row.modality == modality);
        rows.any(|row| row.site.is_some_and(says))
    }

    /// Object types: the 82 of the hierarchy, then the rest.
    #[must_use]
    pub fn objects(&self) -> &[ObjectType] {
        &self.objects
    }

    /// An object type by its name.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&ObjectType> {
        self.objects.iter().find(|object| object.name == name)
    }

    /// The 112 test tasks.
    #[must_use]
    pub fn prompts(&self) -> &[TestedPrompt] {
        &self.prompts
    }

    /// The 14 types of recognition.
    #[must_use]
    pub fn recognition(&self) -> &[RecognitionType] {
        &self.recognition
    }

    /// The type of recognition for an image: its modality and sequence, at its site; `None` where none was published.
    ///
    /// Where types apply anywhere, the site need not be known. Types of plain MRI serve sequences that have none of their own.
    #[must_use]
    pub fn recognition_for(&self, context: &Context) -> Option<&RecognitionType> {
        let imaging = context.imaging()?;
        let at_site = |kind: &&RecognitionType| {
            kind.sites.is_empty()
                || context.site.is_some_and(|site| kind.sites.contains(&site.name))
        };
        let plain = Imaging::new(imaging.modality(), Sequence::Plain);
        let of = |imaging| {
            self.recognition.iter().filter(move |kind| kind.imaging == imaging).find(at_site)
        };
        of(imaging).or_else(|| of(plain))
    }

    /// The published Beta parameters of 64 targets.
    #[must_use]
    pub fn statistics(&self) -> &[TargetStatistics] {
        &self.statistics
    }

    /// The targets of v2.
    #[must_use]
    pub fn volumes(&self) -> &[VolumeTarget] {
        &self.volumes
    }

    /// CT windows of both models.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// A CT window: v1 by site, v2 by tissue.
    #[must_use]
    pub fn window(&self, version: Version, name: &str) -> Option<&Window> {
        self.windows.iter().find(|window| window.version == version && window.name == name)
    }

    /// The concept that is written for an object type: its own when verified, else its fallback when that is.
    ///
    /// # Errors
    /// When neither is verified.
    pub fn written_concept(&self, object: &ObjectType) -> Result<&Concept, NoVerifiedCode> {
        let keys = [Some(object.concept), object.fallback];
        let concepts = keys.into_iter().flatten().filter_map(|key| self.concept(key));
        concepts.clone().find(|concept| concept.verified).ok_or_else(|| {
            let note = concepts.clone().find_map(|concept| concept.note);
            let note = note.unwrap_or("seen in no source that follows the standard").to_owned();
            NoVerifiedCode { object: object.name, note }
        })
    }

    /// What a segment of an object type at a site stands for. The side is the only modifier that a `Target` has.
    ///
    /// The Anatomic Region is that of the concept; where it has none, what is no organ gets the region of the site.
    ///
    /// # Errors
    /// When no verified code is known.
    pub fn target(
        &self,
        object: &ObjectType,
        site: Option<&Site>,
    ) -> Result<Target, NoVerifiedCode> {
        let concept = self.written_concept(object)?;
        let of_site = || match object.category {
            Category::Organ => None,
            Category::Abnormality | Category::Histology => self.region(site?),
        };
        Ok(Target {
            label: object.label.to_owned(),
            category: concept.category.clone(),
            property_type: concept.property_type.clone(),
            laterality: concept.laterality().cloned(),
            anatomic_region: concept.region.clone().or_else(of_site),
            color_rgb: object.color_rgb,
        })
    }

    /// The Anatomic Region of a site; `None` for the site "other".
    #[must_use]
    pub fn region(&self, site: &Site) -> Option<CodedConcept> {
        let concept = self.concept(site.region?)?;
        concept.verified.then(|| concept.property_type.clone())
    }
}
