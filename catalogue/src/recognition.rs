//! The types of recognition of v1: which objects are looked for together, and where.

use crate::imaging::Imaging;
use crate::table::{Table, TableFault};

/// A type of recognition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecognitionType {
    /// Its published name, such as `CT-Abdomen`.
    pub name: &'static str,
    /// Modality and sequence.
    pub imaging: Imaging,
    /// Names of the sites where it applies; empty means anywhere.
    pub sites: Vec<&'static str>,
    /// The CT window that its statistics assume.
    pub window: Option<&'static str>,
    /// What is looked for, in the published order.
    pub targets: Vec<&'static str>,
}

/// Reads `recognition.tsv`.
pub(crate) fn read() -> Result<Vec<RecognitionType>, TableFault> {
    Table::read("recognition.tsv", include_str!("../data/recognition.tsv"))?.map(|row| {
        let sites = row.list("sites", " ")?;
        Ok(RecognitionType {
            name: row.text("type")?,
            imaging: row.known("modality", Imaging::labelled)?,
            sites: if sites == ["*"] { vec![] } else { sites },
            window: row.optional("window")?,
            targets: row.list("targets", ";")?,
        })
    })
}
