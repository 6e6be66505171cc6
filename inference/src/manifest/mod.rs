//! `model.toml`: what a network takes, what it gives, and what that is called. The format is described in MANIFEST.md.

mod files;
mod input;
mod keys;
mod labels;
mod output;
mod read;
mod show;

use std::path::{Path, PathBuf};

use domain::{ModelIdentity, Target};

pub(crate) use input::{Axes, Direction, Fit, Input, Intensity, Interpolation, Onto, Over, Per};
pub(crate) use input::{SliceGrid, VolumeGrid};
pub(crate) use labels::Label;
pub(crate) use output::{Activation, Mode, Output, Scale, Weights};

use crate::faults::ModelFaults;

/// A model folder, understood: every value in it is legal, and the files are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub(crate) identity: ModelIdentity,
    pub(crate) licence: Option<String>,
    pub(crate) file: PathBuf,
    pub(crate) modalities: Vec<String>,
    pub(crate) minimum_slices: usize,
    pub(crate) input: Input,
    pub(crate) plan: Plan,
    pub(crate) output: Output,
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

/// What kind of network it is. A kind that takes prompts will be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 3-D: one tensor N C D H W for a series.
    Volume,
    /// 2-D: tensors N C H W, slices in batches.
    Slice,
}

impl Kind {
    /// The word for it in `model.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Slice => "slice",
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

    /// The ONNX file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
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

    /// 3-D or 2-D.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.plan {
            Plan::Volume { .. } => Kind::Volume,
            Plan::Slice(_) => Kind::Slice,
        }
    }

    /// What it looks for, in the manifest's order.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.labels.iter().map(|label| &label.target)
    }
}
