//! What promptable models were trained to find: object types and their codes, sites, modalities, tested prompts,
//! the words that people use for them, and the numbers of p-values and recognition.
//!
//! Everything is data in `catalogue/data/`, parsed once ([`catalogue()`]), and pure functions over it. This room knows
//! no model files, pixels or PACS: it takes words, headers and probability maps, and gives prompts, targets and masks.

mod among;
mod beta;
mod catalogue;
mod combine;
mod concept;
mod find;
mod header;
mod imaging;
mod nearest;
mod object;
mod prompt;
mod recognition;
mod rejection;
mod resolve;
mod site;
mod statistics;
mod table;
mod text;
mod volume;
mod window;
mod words;

pub use among::{FoundAmong, ModelTarget, find_among};
pub use beta::{Beta, BetaError};
pub use catalogue::{Catalogue, NoVerifiedCode, catalogue};
pub use combine::{
    Candidate, Combined, Outcome, SizesDiffer, combine, combine_outcomes, merge, merge_outcomes,
};
pub use concept::Concept;
pub use find::{Context, Found, Vocabulary, find};
pub use header::context_of;
pub use imaging::{Imaging, Modality, Sequence};
pub use nearest::nearest;
pub use object::{Category, ObjectType};
pub use prompt::{TestedPrompt, sentence};
pub use recognition::RecognitionType;
pub use rejection::{Rejection, judge};
pub use resolve::FindError;
pub use site::{Part, Site, Training};
pub use statistics::{MaskStatistics, StatisticsError, TargetStatistics, mask_statistics};
pub use table::TableFault;
pub use text::{find_text, list_text};
pub use volume::{FoundVolume, Side, VolumeTarget, find_volume};
pub use window::{Version, Window};
