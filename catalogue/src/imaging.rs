//! The nine modalities of v1 and the sequences of MR that its prompts tell apart.

use std::fmt;

/// A modality as the model names it, not as DICOM does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Modality {
    /// CT.
    Ct,
    /// MR of any sequence.
    Mri,
    /// Projection radiography.
    XRay,
    /// Ultrasound.
    Ultrasound,
    /// Photographs of the fundus of the eye.
    Fundus,
    /// Optical coherence tomography of the retina.
    Oct,
    /// Endoscopy.
    Endoscope,
    /// Dermoscopy.
    Dermoscopy,
    /// Stained tissue under a microscope.
    Pathology,
}

impl Modality {
    /// All nine.
    pub const ALL: [Self; 9] = [
        Self::Ct,
        Self::Mri,
        Self::XRay,
        Self::Ultrasound,
        Self::Fundus,
        Self::Oct,
        Self::Endoscope,
        Self::Dermoscopy,
        Self::Pathology,
    ];

    /// The word in a prompt, letter by letter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ct => "CT",
            Self::Mri => "MRI",
            Self::XRay => "X-Ray",
            Self::Ultrasound => "ultrasound",
            Self::Fundus => "fundus",
            Self::Oct => "OCT",
            Self::Endoscope => "endoscope",
            Self::Dermoscopy => "dermoscopy",
            Self::Pathology => "pathology",
        }
    }

    /// The modality of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|modality| modality.name() == name)
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an MR image shows, as far as prompts tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sequence {
    /// Fluid attenuated inversion recovery.
    Flair,
    /// T1 after a contrast agent.
    T1Gd,
    /// T2.
    T2,
    /// Apparent diffusion coefficient.
    Adc,
    /// Anything else, not known, or not MR: prompts say only the modality.
    Plain,
}

/// A modality with its sequence: what stands at the end of a prompt. Only MR has sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imaging {
    modality: Modality,
    sequence: Sequence,
}

/// The five endings that MR has.
const MR: [(Sequence, &str); 5] = [
    (Sequence::Plain, "MRI"),
    (Sequence::Flair, "MRI-FLAIR"),
    (Sequence::T1Gd, "MRI-T1-Gd"),
    (Sequence::T2, "MRI-T2"),
    (Sequence::Adc, "MRI-ADC"),
];

impl Imaging {
    /// The two together; the sequence of what is not MR is dropped.
    #[must_use]
    pub fn new(modality: Modality, sequence: Sequence) -> Self {
        let sequence = if modality == Modality::Mri { sequence } else { Sequence::Plain };
        Self { modality, sequence }
    }

    /// The modality.
    #[must_use]
    pub fn modality(self) -> Modality {
        self.modality
    }

    /// The sequence; `Plain` for all but MR.
    #[must_use]
    pub fn sequence(self) -> Sequence {
        self.sequence
    }

    /// The words in a prompt, such as `MRI-T1-Gd` or `CT`.
    #[must_use]
    pub fn label(self) -> &'static str {
        let of_mr = MR.iter().find(|(sequence, _)| *sequence == self.sequence);
        match (self.modality, of_mr) {
            (Modality::Mri, Some((_, label))) => label,
            (modality, _) => modality.name(),
        }
    }

    /// The reverse of [`Imaging::label`].
    #[must_use]
    pub fn labelled(label: &str) -> Option<Self> {
        let of_mr = MR.iter().find(|(_, name)| *name == label);
        match of_mr {
            Some((sequence, _)) => Some(Self::new(Modality::Mri, *sequence)),
            None => Modality::named(label).map(|modality| Self::new(modality, Sequence::Plain)),
        }
    }
}

impl fmt::Display for Imaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_are_written() {
        for label in ["CT", "MRI", "MRI-FLAIR", "MRI-T1-Gd", "MRI-T2", "MRI-ADC", "OCT", "X-Ray"] {
            assert_eq!(Imaging::labelled(label).map(Imaging::label), Some(label));
        }
        assert_eq!(Imaging::labelled("MRI-T3"), None);
        assert_eq!(Imaging::new(Modality::Ct, Sequence::T2).label(), "CT");
    }
}
