//! Sites of the body as v1's training data names them.

use std::collections::BTreeMap;

use crate::imaging::Modality;
use crate::table::{Table, TableFault};

/// Parts of the body that one image does not show together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Head and neck.
    Head,
    /// Chest, abdomen and pelvis: one CT may show all three.
    Trunk,
    /// Anywhere.
    Any,
}

impl Part {
    fn named(name: &str) -> Option<Self> {
        match name {
            "head" => Some(Self::Head),
            "trunk" => Some(Self::Trunk),
            "any" => Some(Self::Any),
            _ => None,
        }
    }

    /// Whether one image may show both.
    #[must_use]
    pub fn may_show(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name in the training data.
    pub name: &'static str,
    /// The word in a prompt.
    pub says: &'static str,
    /// Key of the concept that stands for it as Anatomic Region; the site "other" has none.
    pub region: Option<&'static str>,
    /// The part of the body.
    pub part: Part,
    /// The site around it.
    pub within: Option<&'static str>,
    /// Whether it is one of the 26 of the published counts; the rest only occurs in the hierarchy.
    pub counted: bool,
}

/// Training masks of one modality at one site; `None` where only the sum over sites is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Training {
    /// The modality.
    pub modality: Modality,
    /// Name of the site; `None` is the sum over all sites of a modality whose parts are not published.
    pub site: Option<&'static str>,
    /// Number of masks.
    pub masks: Option<u64>,
}

/// Reads `sites.tsv`.
pub(crate) fn read() -> Result<BTreeMap<&'static str, Site>, TableFault> {
    let sites = Table::read("sites.tsv", include_str!("../data/sites.tsv"))?.map(|row| {
        Ok(Site {
            name: row.text("site")?,
            says: row.text("says")?,
            region: row.optional("region")?,
            part: row.known("part", Part::named)?,
            within: row.optional("within")?,
            counted: row.yes("counted")?,
        })
    })?;
    Ok(sites.into_iter().map(|site| (site.name, site)).collect())
}

/// Reads `training.tsv`.
pub(crate) fn read_training() -> Result<Vec<Training>, TableFault> {
    Table::read("training.tsv", include_str!("../data/training.tsv"))?.map(|row| {
        Ok(Training {
            modality: row.known("modality", Modality::named)?,
            site: Some(row.text("site")?).filter(|site| *site != "*"),
            masks: row.optional("masks")?.map(|_| row.parse("masks")).transpose()?,
        })
    })
}
