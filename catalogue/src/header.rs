//! From a DICOM header to modality, sequence and site as prompts say them, each with the reason.
//!
//! The reasons name attributes and entries of our tables, never values: a description may hold a patient's name.

mod sequence;
mod site;
mod text;

use dataset::{DataSet, tags};

use crate::find::Context;
use crate::imaging::Modality;

/// What a header says.
///
/// Modality comes from Modality (0008,0060). Site comes from the codes of Anatomic Region Sequence and Primary Anatomic
/// Structure Sequence, also those of a specimen, then from Body Part Examined, then from Protocol Name, Series Description
/// and Study Description in five languages: the first of them that names one site at which the modality was trained, else
/// the first that names one site. What is not said stays `None`.
#[must_use]
pub fn context_of(header: &DataSet) -> Context {
    let mut why = vec![];
    let dicom = header.text(tags::MODALITY).unwrap_or_default();
    let mut modality = modality_of(&dicom);
    let site = site::site_of(header, modality, &mut why);
    if dicom == "XC" && site.is_some_and(|site| site.name != "skin") {
        modality = None;
        why.push("Modality XC is dermoscopy only of the skin".to_owned());
    }
    match modality {
        Some(modality) => why.insert(0, format!("Modality {dicom} is {modality}")),
        None => why.insert(0, "Modality (0008,0060) is none of the nine".to_owned()),
    }
    let sequence = match modality {
        Some(Modality::Mri) => sequence::sequence_of(header, &mut why),
        _ => None,
    };
    Context { modality, site, sequence, why }
}

/// Modality (0008,0060), as PS3.3 §C.7.3.1.1.1 defines its terms.
fn modality_of(dicom: &str) -> Option<Modality> {
    match dicom {
        "CT" => Some(Modality::Ct),
        "MR" => Some(Modality::Mri),
        "DX" | "CR" => Some(Modality::XRay),
        "US" => Some(Modality::Ultrasound),
        "OP" => Some(Modality::Fundus),
        "OPT" => Some(Modality::Oct),
        "ES" => Some(Modality::Endoscope),
        "XC" | "DMS" => Some(Modality::Dermoscopy),
        "SM" | "GM" => Some(Modality::Pathology),
        _ => None,
    }
}
