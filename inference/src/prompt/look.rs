//! Which pictures a slice is made into: one for each way in which its intensities are shown.

use catalogue::{Imaging, Modality};

use super::questions::{Question, Questions};

/// A way of showing a slice, and who is asked about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    /// How.
    pub(super) kind: LookKind,
    /// Which questions, in their order.
    pub(super) questions: Vec<usize>,
}

/// How intensities become grey levels. Colour is there already, in any look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LookKind {
    /// CT: between two values in HU.
    Window {
        /// Black.
        low_hu: f64,
        /// White.
        high_hu: f64,
    },
    /// Projection radiography: as its own VOI LUT or window shows it, since models were trained on exported pictures; where it has
    /// none, or one that is none, as all others.
    Shown,
    /// All others: as they are where they have 8 bits, else between percentiles.
    Plain,
}

impl LookKind {
    fn of(question: &Question) -> Self {
        let is_projection = |imaging: Imaging| imaging.modality() == Modality::XRay;
        match &question.window {
            Some(window) => Self::Window { low_hu: window.low_hu, high_hu: window.high_hu },
            None if question.imaging.is_some_and(is_projection) => Self::Shown,
            None => Self::Plain,
        }
    }
}

/// The looks of all questions, none twice.
pub(super) fn looks(questions: &Questions) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    for (index, question) in questions.list.iter().enumerate() {
        let kind = LookKind::of(question);
        match looks.iter_mut().find(|look| look.kind == kind) {
            Some(look) => look.questions.push(index),
            None => looks.push(Look { kind, questions: vec![index] }),
        }
    }
    looks
}
