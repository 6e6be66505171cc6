//! What a header says of the images, and what a rule says instead. Words for the log never hold values of the patient.

use catalogue::{Context, Imaging, Modality, Sequence, Site, catalogue, context_of};
use dataset::{DataSet, tags};
use domain::{Instead, Unsuitable, UnsuitableCode};

use super::refused;

/// VL Whole Slide Microscopy Image Storage (PS3.4 §B.5).
const WHOLE_SLIDE: &str = "1.2.840.10008.5.1.4.1.1.77.1.6";

/// Refuses tiles of a whole slide: their frames are places of one image, and not images.
///
/// # Errors
/// [`UnsuitableCode::WholeSlide`].
pub(super) fn check_no_whole_slide(header: &DataSet) -> Result<(), Unsuitable> {
    let is_slide = header.text(tags::SOP_CLASS_UID).is_some_and(|uid| uid == WHOLE_SLIDE);
    let is_tiled = header
        .text(tags::DIMENSION_ORGANIZATION_TYPE)
        .is_some_and(|kind| kind.starts_with("TILED"));
    let has_matrix = header.contains(tags::TOTAL_PIXEL_MATRIX_COLUMNS);
    if is_slide || is_tiled || has_matrix {
        let detail = "tiles of a whole slide; a promptable model takes single images of tissue";
        return Err(Unsuitable::new(UnsuitableCode::WholeSlide, detail));
    }
    Ok(())
}

/// Modality, site and sequence: what the rule says instead, else what the header says.
///
/// # Errors
/// [`UnsuitableCode::PromptRefused`] for words of the rule that the catalogue does not know.
pub(super) fn context_for(header: &DataSet, instead: &Instead) -> Result<Context, Unsuitable> {
    let mut context = context_of(header);
    if let Some(word) = &instead.modality {
        let imaging = imaging(word)?;
        context.modality = Some(imaging.modality());
        let keeps = imaging.modality() == Modality::Mri && imaging.sequence() == Sequence::Plain;
        context.sequence = if keeps { context.sequence } else { Some(imaging.sequence()) };
        context.why.push(format!("modality {imaging}: the rule says so"));
    }
    if let Some(word) = &instead.site {
        let site = site(word)?;
        context.site = Some(site);
        context.why.push(format!("site {}: the rule says so", site.says));
    }
    if let Some(word) = &instead.sequence {
        context.sequence = Some(sequence(word)?);
        context.why.push(format!("sequence {word}: the rule says so"));
    }
    Ok(context)
}

fn imaging(word: &str) -> Result<Imaging, Unsuitable> {
    let of = |modality: Modality| Imaging::new(modality, Sequence::Plain);
    let named = Modality::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(word));
    named.map(of).or_else(|| Imaging::labelled(word)).ok_or_else(|| {
        let known = Modality::ALL.map(Modality::name).join(", ");
        refused(format!("modality \"{word}\" is none of {known}"))
    })
}

fn site(word: &str) -> Result<&'static Site, Unsuitable> {
    let is =
        |site: &&Site| site.name.eq_ignore_ascii_case(word) || site.says.eq_ignore_ascii_case(word);
    catalogue().sites().find(is).ok_or_else(|| {
        let known: Vec<&str> = catalogue().sites().map(|site| site.name).collect();
        refused(format!("site \"{word}\" is none of {}", known.join(", ")))
    })
}

fn sequence(word: &str) -> Result<Sequence, Unsuitable> {
    let known = [
        ("FLAIR", Sequence::Flair),
        ("T1-Gd", Sequence::T1Gd),
        ("T2", Sequence::T2),
        ("ADC", Sequence::Adc),
        ("plain", Sequence::Plain),
    ];
    let found = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, sequence)| *sequence).ok_or_else(|| {
        let words = known.map(|(name, _)| name).join(", ");
        refused(format!("sequence \"{word}\" is none of {words}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(modality: Option<&str>, site: Option<&str>, sequence: Option<&str>) -> String {
        let owned = |word: Option<&str>| word.map(str::to_owned);
        let instead = Instead {
            modality: owned(modality),
            site: owned(site),
            sequence: owned(sequence),
            window: None,
        };
        match context_for(&DataSet::default(), &instead) {
            Ok(found) => {
                format!(
                    "{:?} {:?}",
                    found.imaging().map(Imaging::label),
                    found.site.map(|s| s.says)
                )
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_rule_goes_before_the_header() {
        assert_eq!(says(None, None, None), "None None");
        assert_eq!(says(Some("ct"), Some("Abdomen"), None), "Some(\"CT\") Some(\"abdomen\")");
        assert_eq!(says(Some("MRI"), None, Some("flair")), "Some(\"MRI-FLAIR\") None");
        assert_eq!(says(Some("MRI-T2"), None, None), "Some(\"MRI-T2\") None");
    }

    #[test]
    fn words_that_nobody_knows_are_refused_with_those_that_are_known() {
        assert!(says(Some("PET"), None, None).contains("none of CT, MRI, X-Ray"));
        assert!(says(None, Some("elbow"), None).contains("none of abdomen, "));
        assert!(says(None, None, Some("T7")).contains("none of FLAIR, T1-Gd"));
    }
}
