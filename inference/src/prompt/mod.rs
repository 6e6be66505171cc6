//! Promptable models: words and the slices of a series become findings.
//!
//! [`Model::understand`] makes questions of words and a header; [`answer`] puts them to a series, slice by slice;
//! [`answer_ahead`] puts them to one slice while the rest of the series still arrives. Knows nothing of where words come
//! from, and nothing of how results are written.

mod ahead;
mod answer;
mod neighbours;
mod questions;

pub use ahead::{Ahead, SliceAnswers};
pub use answer::{AnswerOptions, Neighbourhood, answer, answer_ahead};
pub use questions::{Question, Questions};
