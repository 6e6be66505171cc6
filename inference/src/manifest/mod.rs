//! `model.toml`: what a network takes, what it gives, and what that is called. The format is described in MANIFEST.md.

mod files;
mod input;
mod keys;
mod labels;
mod output;
mod prompt;
mod read;
mod show;
mod statistics;
mod targets;

use std::path::{Path, PathBuf};

use domain::{ModelIdentity, Target, Unsuitable, UnsuitableCode};

pub(crate) use crate::picture::Generation;
pub(crate) use files::hex;
pub(crate) use input::{Axes, Direction, Fit, Input, Intensity, Interpolation, Onto, Over, Per};
pub(crate) use input::{SliceGrid, VolumeGrid};
pub(crate) use labels::Label;
pub(crate) use output::{Activation, Mode, Output, Scale, Weights};
pub(crate) use prompt::{CtWindow, PromptSpec, Vocabulary};
pub(crate) use statistics::Statistics;

pub(crate) use targets::OwnTarget;

use crate::faults::ModelFaults;

/// A model folder, understood: every value in it is legal, and the files are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub(crate) identity: ModelIdentity,
    pub(crate) licence: Option<String>,
    pub(crate) modalities: Vec<String>,
    pub(crate) minimum_slices: usize,
    pub(crate) spec: Spec,
}

/// What the model is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Spec {
    /// Always the same labels.
    Labels(Box<LabelSpec>),
    /// What a prompt says.
    Prompt(Box<PromptSpec>),
}

/// A network with a fixed list of labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LabelSpec {
    /// The ONNX file.
    pub(crate) file: PathBuf,
    /// `[input]`.
    pub(crate) input: Input,
    /// How the network is fed.
    pub(crate) plan: Plan,
    /// `[output]`.
    pub(crate) output: Output,
    /// `[[label]]`.
    pub(crate) labels: Vec<Label>,
}

/// How a network is to be fed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plan {
    /// 3-D, on a grid of its own.
    Volume {
        /// Which grid.
        grid: VolumeGrid,
        /// In one piece or in several.
        mode: Mode,
    },
    /// 2-D, slice by slice.
    Slice(SliceGrid),
}

/// What kind of model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 3-D: one tensor N C D H W for a series.
    Volume,
    /// 2-D: tensors N C H W, slices in batches.
    Slice,
    /// Asked by text: three networks, slice by slice.
    Prompt,
}

impl Kind {
    /// The word for it in `model.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Slice => "slice",
            Self::Prompt => "prompt",
        }
    }
}

impl Manifest {
    /// Reads `model.toml` in a folder, checks all of it, and hashes it with the network's files.
    ///
    /// # Errors
    /// [`ModelFaults`] with everything that is wrong, each fault with its key path.
    pub fn read(dir: &Path) -> Result<Self, ModelFaults> {
        read::read(dir)
    }

    /// Who the model is. The SHA-256 is that of `model.toml`, the ONNX file and further data files, one after the other.
    #[must_use]
    pub fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    /// Under which licence it is, in the manifest's words.
    #[must_use]
    pub fn licence(&self) -> Option<&str> {
        self.licence.as_deref()
    }

    /// Values of Modality (0008,0060) that the model takes.
    #[must_use]
    pub fn modalities(&self) -> &[String] {
        &self.modalities
    }

    /// Fewest slices it takes.
    #[must_use]
    pub fn minimum_slices(&self) -> usize {
        self.minimum_slices
    }

    /// What kind of model it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.spec {
            Spec::Prompt(_) => Kind::Prompt,
            Spec::Labels(labels) => match labels.plan {
                Plan::Volume { .. } => Kind::Volume,
                Plan::Slice(_) => Kind::Slice,
            },
        }
    }

    /// The network with its list of labels.
    ///
    /// # Errors
    /// [`UnsuitableCode::PromptRefused`] for a model that has to be asked.
    pub(crate) fn labelling(&self) -> Result<&LabelSpec, Unsuitable> {
        match &self.spec {
            Spec::Labels(spec) => Ok(spec),
            Spec::Prompt(_) => {
                let detail = format!("{} has to be asked something", self.identity.name);
                Err(Unsuitable::new(UnsuitableCode::PromptRefused, detail))
            }
        }
    }

    /// The networks that are asked by text.
    ///
    /// # Errors
    /// [`UnsuitableCode::PromptRefused`] for a model that always looks for the same.
    pub(crate) fn prompting(&self) -> Result<&PromptSpec, Unsuitable> {
        match &self.spec {
            Spec::Prompt(spec) => Ok(spec),
            Spec::Labels(_) => {
                let detail = format!("{} takes no prompts", self.identity.name);
                Err(Unsuitable::new(UnsuitableCode::PromptRefused, detail))
            }
        }
    }

    /// What it always looks for, in the manifest's order; nothing where it is asked by prompts.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let labels = match &self.spec {
            Spec::Labels(spec) => spec.labels.as_slice(),
            Spec::Prompt(_) => &[],
        };
        labels.iter().map(|label| &label.target)
    }
}
