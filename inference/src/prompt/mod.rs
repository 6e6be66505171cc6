//! Promptable models: words and the slices of a series become findings.
//!
//! [`crate::Model::understand`] makes questions of words and a header; [`answer()`] puts them to a series, slice by slice;
//! [`answer_ahead`] puts them to one slice while the rest of the series still arrives. Knows nothing of where words come
//! from, and nothing of how results are written.

mod ahead;
mod answer;
mod asker;
mod context;
mod contract;
pub mod door;
mod embedding;
mod engine;
mod findings;
mod graph;
mod judge;
mod judged;
mod look;
mod noise;
mod owners;
mod questions;
mod shot;
mod slice_answer;
mod stream;
mod tokens;
mod understand;
mod windows;
mod words;

mod neighbours;

use domain::{Unsuitable, UnsuitableCode};

pub use ahead::{Ahead, AheadCounts, Neighbourhood, SliceAnswers, answer_ahead};
pub use answer::{AnswerOptions, answer};
pub(crate) use engine::PromptEngine;
pub use questions::{Question, Questions};

/// What is asked cannot be asked.
fn refused(detail: impl Into<String>) -> Unsuitable {
    Unsuitable::new(UnsuitableCode::PromptRefused, detail)
}
