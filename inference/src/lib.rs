//! Models: from the intensities of a series to findings on its grid.
//!
//! A model is a folder with a `model.toml` (its format is in MANIFEST.md) and an ONNX file. The way of the data:
//! [`read_volume`] → [`preprocess()`] → [`infer()`] → [`postprocess()`].
//!
//! Promptable models (PROMPT.md) are asked instead: [`Model::understand`] → [`answer()`], which streams slice by slice, or
//! [`answer_ahead`] for single slices of a series that still arrives.
//!
//! - What a network's scores mean is decided last: probabilities, not masks, are resampled to the source grid.
//! - The source's intensities are never changed; measurements are taken over them, not over what the network saw.
//! - Sums are taken in a fixed order, so the same series gives the same findings on any number of our threads.
//!
//! This room is synchronous. It knows no sockets, no DICOM objects as results, and nothing of where its input came from.

mod decide;
mod faults;
mod grid;
mod infer;
mod intensity;
mod lookup;
mod manifest;
mod measure;
mod model;
mod percentile;
mod picture;
mod postprocess;
mod preprocess;
mod probabilities;
mod prompt;
mod resample;
mod runtime;
mod scores;
mod sliding;
mod tensors;
mod volume;

pub use faults::{ModelFault, ModelFaults};
pub use infer::{ModelOutput, infer};
pub use manifest::{Kind, Manifest};
pub use measure::measure;
pub use model::{LoadOptions, Model};
#[doc(hidden)]
pub use picture::door as picture_door;
pub use postprocess::postprocess;
pub use preprocess::{ModelInput, preprocess};
#[doc(hidden)]
pub use prompt::door as prompt_door;
pub use prompt::{
    Ahead, AheadCounts, AnswerOptions, Neighbourhood, Question, Questions, SliceAnswers, answer,
    answer_ahead,
};
pub use runtime::{Provider, Runtime, RuntimeError, RuntimeOptions, UnknownProvider};
pub use volume::{Volume, read_volume};
