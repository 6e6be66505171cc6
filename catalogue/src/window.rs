//! CT windows that the models were trained with.

use crate::table::{Table, TableFault};

/// Which of the two published models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2-D images of nine modalities.
    V1,
    /// Volumes, slice by slice.
    V2,
}

impl Version {
    /// `v1` or `v2`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.name() == name)
    }
}

/// A CT window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The model that it belongs to.
    pub version: Version,
    /// v1: the site of the prompt. v2: the tissue.
    pub name: &'static str,
    /// Black, in HU.
    pub low_hu: f64,
    /// White, in HU; above `low_hu`.
    pub high_hu: f64,
    /// What is to be known about it.
    pub note: Option<&'static str>,
}

/// Reads `windows.tsv`.
pub(crate) fn read() -> Result<Vec<Window>, TableFault> {
    Table::read("windows.tsv", include_str!("../data/windows.tsv"))?.map(|row| {
        let (low_hu, high_hu) = (row.parse("low_hu")?, row.parse("high_hu")?);
        if low_hu >= high_hu {
            return Err(row.fault("low_hu is not below high_hu"));
        }
        Ok(Window {
            version: row.known("version", Version::named)?,
            name: row.text("name")?,
            low_hu,
            high_hu,
            note: row.optional("note")?,
        })
    })
}
