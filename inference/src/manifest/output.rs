//! `[inference]` and `[output]`: in which pieces the network runs, and what its scores mean.

use super::keys::Section;
use crate::faults::Faults;

/// In which pieces a 3-D network runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mode {
    /// The whole grid at once.
    Whole,
    /// Blocks along the first axis of the tensor, with neighbours that are computed and thrown away.
    Blocks {
        /// Planes in a block.
        slices: usize,
        /// Planes on each side that are thrown away.
        halo: usize,
    },
    /// Overlapping windows whose scores are averaged.
    Sliding {
        /// D, H, W; 0: the whole axis.
        size: [usize; 3],
        /// Share of a window that lies in its neighbour, from 0 to below 1.
        overlap: f64,
        /// How the scores of a window count.
        weights: Weights,
    },
}

/// How the scores of a window count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weights {
    /// All the same.
    Uniform,
    /// Less towards the border: a Gaussian with a standard deviation of an eighth of the window.
    Gaussian,
}

/// What comes out of the network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    /// Name of the tensor; `None`: the only one.
    pub(crate) tensor: Option<String>,
    /// How scores become probabilities, and who wins.
    pub(crate) activation: Activation,
    /// Whether that was done in the network.
    pub(crate) scale: Scale,
    /// Least probability of a voxel that counts.
    pub(crate) threshold: f32,
}

/// How channels compete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// One channel wins each voxel.
    Softmax,
    /// Each channel decides for itself.
    Sigmoid,
}

/// What the numbers of the output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Scores without bounds.
    Logits,
    /// 0 to 1.
    Probabilities,
}

#[derive(Debug, Clone, Copy)]
enum ModeKind {
    Whole,
    Blocks,
    Sliding,
}

/// Reads `[inference]` of a 3-D network.
pub(crate) fn read_mode(keys: &mut Section, faults: &mut Faults) -> Mode {
    let kinds =
        [("whole", ModeKind::Whole), ("blocks", ModeKind::Blocks), ("sliding", ModeKind::Sliding)];
    match keys.choice("mode", &kinds, faults) {
        None | Some(ModeKind::Whole) => Mode::Whole,
        Some(ModeKind::Blocks) => {
            for key in ["slices", "halo"] {
                if !keys.has(key) {
                    faults.add(keys.at(key), "missing");
                }
            }
            let slices = keys.whole("slices", 1, faults).unwrap_or(1);
            Mode::Blocks { slices, halo: keys.whole("halo", 0, faults).unwrap_or(0) }
        }
        Some(ModeKind::Sliding) => read_sliding(keys, faults),
    }
}

fn read_sliding(keys: &mut Section, faults: &mut Faults) -> Mode {
    if !keys.has("size") {
        faults.add(keys.at("size"), "missing");
    }
    let size = keys.wholes::<3>("size", 0, faults).unwrap_or([0; 3]);
    let overlap = keys.number("overlap", faults).unwrap_or(0.5);
    if !(0.0..=0.9).contains(&overlap) {
        faults.add(keys.at("overlap"), "is from 0 to 0.9");
    }
    let choices = [("gaussian", Weights::Gaussian), ("uniform", Weights::Uniform)];
    let weights = keys.choice("weights", &choices, faults).unwrap_or(Weights::Gaussian);
    Mode::Sliding { size, overlap, weights }
}

/// Reads `[output]`.
pub(crate) fn read_output(keys: &mut Section, faults: &mut Faults) -> Output {
    let tensor = keys.text("tensor", faults);
    let activations = [("softmax", Activation::Softmax), ("sigmoid", Activation::Sigmoid)];
    let activation = keys.required_choice("activation", &activations, faults);
    let scales = [("logits", Scale::Logits), ("probabilities", Scale::Probabilities)];
    let scale = keys.required_choice("from", &scales, faults).unwrap_or(Scale::Logits);
    let threshold = read_threshold(keys, faults);
    let activation = activation.unwrap_or(Activation::Softmax);
    let usual = match activation {
        Activation::Softmax => 0.0,
        Activation::Sigmoid => 0.5,
    };
    Output { tensor, activation, scale, threshold: threshold.unwrap_or(usual) }
}

#[expect(clippy::cast_possible_truncation, reason = "probabilities are f32")]
fn read_threshold(keys: &mut Section, faults: &mut Faults) -> Option<f32> {
    let threshold = keys.number("threshold", faults)?;
    if !(0.0..1.0).contains(&threshold) {
        faults.add(keys.at("threshold"), "is from 0 to below 1");
    }
    Some(threshold as f32)
}
