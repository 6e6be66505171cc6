//! What is to be written of a series: what its destinations wish for, together.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Companions, SegmentationForm, SegmentationKind, Wishes};

/// What is to be written: for all destinations together.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Forms of the masks.
    pub(crate) forms: Vec<SegmentationForm>,
    /// What lies beside SEG and SR.
    pub(crate) companions: Companions,
    /// Whether somebody draws an overlay.
    pub(crate) overlay: Overlay,
}

/// Whether somebody draws an overlay, and needs the slices that are shown in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlay {
    /// Nobody does.
    LeftOut,
    /// Somebody does.
    Drawn,
}

impl Wanted {
    /// What these destinations may get, each form once.
    pub(crate) fn of(destinations: &[String], wishes: &BTreeMap<String, Wishes>) -> Self {
        let wishes = || destinations.iter().filter_map(|name| wishes.get(name));
        let mut forms: BTreeSet<_> = wishes().flat_map(Wishes::forms).collect();
        if forms.is_empty() {
            forms.insert(SegmentationForm::default());
        }
        let companions = wishes().map(|wishes| wishes.companions);
        let companions = companions.fold(Companions::default(), Companions::or);
        let forms = forms.into_iter().collect();
        Self { forms, companions, overlay: Overlay::LeftOut }
    }

    /// Whether slices are wanted as people see them.
    pub(crate) fn has_pictures(&self) -> bool {
        self.companions.secondary_capture || self.overlay == Overlay::Drawn
    }

    /// Whether one of the forms holds probabilities.
    pub(crate) fn has_probabilities(&self) -> bool {
        self.forms.iter().any(|form| form.kind == SegmentationKind::Fractional)
    }
}
