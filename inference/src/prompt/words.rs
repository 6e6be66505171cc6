//! From words to a sentence and a target, by the vocabulary of the model.

use catalogue::{
    Context, FindError, Found, FoundAmong, FoundVolume, Imaging, ModelTarget, NoVerifiedCode, Site,
    VolumeTarget, catalogue, find, find_among, find_volume,
};
use domain::{CodedConcept, Target};
use sha2::{Digest as _, Sha256};

use crate::manifest::{OwnTarget, Vocabulary, hex};

/// A prompt that was understood.
#[derive(Debug, Clone)]
pub(super) struct Understood {
    /// The sentence for the model.
    pub(super) sentence: String,
    /// The words for the target in the sentence: the key of its statistics.
    pub(super) spoken: String,
    /// What a segment of it stands for.
    pub(super) target: Target,
    /// The site in the sentence, else that of the images.
    pub(super) site: Option<&'static Site>,
    /// Modality and sequence in the sentence, else those of the images.
    pub(super) imaging: Option<Imaging>,
    /// The target of v2, where it is one.
    pub(super) volume: Option<&'static VolumeTarget>,
    /// `Open` for words that the model was never trained on.
    pub(super) vocabulary: domain::Vocabulary,
    /// What was completed or assumed, in sentences.
    pub(super) notes: Vec<String>,
}

/// Understands words for images. The reason why they cannot be used is a sentence.
pub(super) fn understand(
    given: &str,
    vocabulary: &Vocabulary,
    context: &Context,
    openness: domain::Vocabulary,
) -> Result<Understood, String> {
    let closed = match vocabulary {
        Vocabulary::V1 => find(given, context, catalogue::Vocabulary::Closed)
            .map(|found| of_v1(found).map_err(|error| error.to_string())),
        Vocabulary::V2 => find_volume(given, context)
            .map(|found| of_v2(&found, context).map_err(|error| error.to_string())),
        Vocabulary::Own(targets) => find_own(given, context, targets).map(Ok),
    };
    match (closed, openness) {
        (Ok(found), _) => found,
        (
            Err(error @ (FindError::Unknown { .. } | FindError::OtherScript { .. })),
            domain::Vocabulary::Open,
        ) => Ok(open(given, context, &error)),
        (Err(error), domain::Vocabulary::Open | domain::Vocabulary::Closed) => {
            Err(error.to_string())
        }
    }
}

fn of_v1(found: Found) -> Result<Understood, NoVerifiedCode> {
    let target = match found.object {
        Some(object) => catalogue().target(object, found.site)?,
        // A closed vocabulary always names an object type.
        None => local_target(&found.target),
    };
    Ok(Understood {
        sentence: found.understood,
        spoken: found.target,
        target,
        site: found.site,
        imaging: found.imaging,
        volume: None,
        vocabulary: domain::Vocabulary::Closed,
        notes: found.notes,
    })
}

/// Modality and sequence at the end of a sentence.
fn said(sentence: &str) -> Option<Imaging> {
    Imaging::labelled(sentence.rsplit(' ').next()?)
}

fn of_v2(found: &FoundVolume, context: &Context) -> Result<Understood, NoVerifiedCode> {
    Ok(Understood {
        sentence: found.understood.clone(),
        spoken: found.target.name.to_owned(),
        target: catalogue().volume_target(found.target)?,
        site: context.site,
        imaging: context.imaging().or_else(|| said(&found.understood)),
        volume: Some(found.target),
        vocabulary: domain::Vocabulary::Closed,
        notes: Vec::new(),
    })
}

fn find_own(
    given: &str,
    context: &Context,
    targets: &[OwnTarget],
) -> Result<Understood, FindError> {
    let among: Vec<ModelTarget<'_>> = targets
        .iter()
        .map(|own| ModelTarget { name: &own.name, modalities: &own.modalities })
        .collect();
    let FoundAmong { understood, index, .. } = find_among(given, context, &among)?;
    let own = &targets[index];
    Ok(Understood {
        imaging: context.imaging().or_else(|| said(&understood)),
        sentence: understood,
        spoken: own.name.clone(),
        target: own.target.clone(),
        site: context.site,
        volume: catalogue().volumes().iter().find(|volume| volume.name == own.name),
        vocabulary: domain::Vocabulary::Closed,
        notes: Vec::new(),
    })
}

/// What an open vocabulary makes of words that the model was never trained on.
fn open(given: &str, context: &Context, error: &FindError) -> Understood {
    let sentence = given.split_whitespace().collect::<Vec<_>>().join(" ");
    Understood {
        target: local_target(&sentence),
        spoken: sentence.clone(),
        sentence,
        site: context.site,
        imaging: context.imaging(),
        volume: None,
        vocabulary: domain::Vocabulary::Open,
        notes: vec![format!("sent as it is, because the vocabulary is open: {error}")],
    }
}

/// Longest Segment Label and Code Meaning (LO).
const LABEL_CHARS_MAX: usize = 64;
/// sRGB of what the catalogue does not know.
const OPEN_COLOR: [u8; 3] = [230, 159, 0];

/// Words that have no code get one of our own scheme, made of the words: (PS3.16 §8.2).
fn local_target(words: &str) -> Target {
    let plain = words.chars().map(|c| if c == '\\' || c.is_control() { ' ' } else { c });
    let label: String = plain.take(LABEL_CHARS_MAX).collect();
    let digest = hex(&Sha256::digest(words));
    let code = |value: &str, meaning: &str| CodedConcept::new(value, "99PARSENODE", meaning);
    Target {
        category: CodedConcept::new("309825002", "SCT", "Spatial and Relational Concept"),
        property_type: code(&format!("OPEN-{}", &digest[..10]), &label),
        label,
        laterality: None,
        anatomic_region: None,
        color_rgb: OPEN_COLOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalogue::Modality;

    fn ct() -> Context {
        let site = catalogue().site("abdomen");
        Context { modality: Some(Modality::Ct), site, ..Context::default() }
    }

    fn says(given: &str, vocabulary: &Vocabulary, openness: domain::Vocabulary) -> String {
        understand(given, vocabulary, &ct(), openness).map_or_else(
            |error| error,
            |found| format!("{} = {}", found.sentence, found.target.label),
        )
    }

    #[test]
    fn each_vocabulary_says_its_own_sentence() {
        let closed = domain::Vocabulary::Closed;
        assert_eq!(
            says("IVC", &Vocabulary::V1, closed),
            "postcava in abdomen CT = inferior vena cava"
        );
        let v2 = says("IVC", &Vocabulary::V2, closed);
        assert_eq!(v2, "inferior vena cava in abdomen CT = inferior vena cava");
        assert!(says("retinal vessel", &Vocabulary::V1, closed).contains("this is CT"));
        assert!(says("jugular vein", &Vocabulary::V2, closed).contains("this is CT"));
    }

    #[test]
    fn open_words_get_a_code_of_our_own() {
        let open =
            understand("  strange\tthing ", &Vocabulary::V2, &ct(), domain::Vocabulary::Open);
        let open = open.unwrap();
        assert_eq!(open.sentence, "strange thing");
        assert_eq!(open.target.property_type.scheme, "99PARSENODE");
        assert_eq!(open.target.property_type.value.len(), 15);
        assert!(open.notes[0].contains("vocabulary is open"));
        // What the catalogue knows must still fit the images.
        let error = understand("retinal vessel", &Vocabulary::V1, &ct(), domain::Vocabulary::Open);
        assert!(error.unwrap_err().contains("this is CT"));
        let empty = understand(" ", &Vocabulary::V1, &ct(), domain::Vocabulary::Open);
        assert!(empty.unwrap_err().contains("empty"));
    }
}
