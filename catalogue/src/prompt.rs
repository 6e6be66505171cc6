//! The tested prompts of v1 with the Dice that was published for them.

use crate::imaging::Imaging;
use crate::table::{Table, TableFault};

/// One test task.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedPrompt {
    /// Modality and sequence.
    pub imaging: Imaging,
    /// Name of the site; also its word in the prompt.
    pub site: &'static str,
    /// The words for the object in the prompt.
    pub target: &'static str,
    /// A part of the data that was counted apart; no word of the prompt.
    pub split: Option<&'static str>,
    /// The object type that the words mean here.
    pub object: &'static str,
    /// Mean Dice over images that hold the object, 0 to 1.
    pub dice_mean: f64,
    /// Median Dice, 0 to 1.
    pub dice_median: f64,
    /// Number of images.
    pub images: u32,
}

impl TestedPrompt {
    /// The prompt, as it was tested.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(self.target, self.site, self.imaging)
    }
}

/// The sentence that the model was trained with: "{target} in {site} {modality}".
#[must_use]
pub fn sentence(target: &str, site_says: &str, imaging: Imaging) -> String {
    format!("{target} in {site_says} {imaging}")
}

/// Reads `prompts.tsv`.
pub(crate) fn read() -> Result<Vec<TestedPrompt>, TableFault> {
    Table::read("prompts.tsv", include_str!("../data/prompts.tsv"))?.map(|row| {
        Ok(TestedPrompt {
            imaging: row.known("modality", Imaging::labelled)?,
            site: row.text("site")?,
            target: row.text("target")?,
            split: row.optional("split")?,
            object: row.text("object")?,
            dice_mean: row.parse("dice_mean")?,
            dice_median: row.parse("dice_median")?,
            images: row.parse("images")?,
        })
    })
}
