//! `[[target]]`: what a model with a vocabulary of its own was trained to find, with the codes of the catalogue.

use catalogue::{Concept, Modality, catalogue};
use domain::Target;

use super::keys::Section;
use super::labels::COLORS;
use crate::faults::Faults;

/// Most targets of one model.
const TARGETS_MAX: usize = 256;

/// A target of a model's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnTarget {
    /// The name that the model was trained with.
    pub(crate) name: String,
    /// Where it was trained; never empty.
    pub(crate) modalities: Vec<Modality>,
    /// What a segment of it stands for.
    pub(crate) target: Target,
}

/// Reads all targets; each name once, each with a verified code.
pub(super) fn read_targets(root: &mut Section, faults: &mut Faults) -> Vec<OwnTarget> {
    let mut targets: Vec<OwnTarget> = Vec::new();
    for (index, mut keys) in root.sections("target", faults).into_iter().enumerate() {
        let name = keys.required_text("name", faults);
        if targets.iter().any(|earlier| earlier.name == name) {
            faults.add(keys.at("name"), format!("there is a target \"{name}\" already"));
        }
        let modalities = read_modalities(&mut keys, faults);
        let coded = coded(&name, COLORS[index % COLORS.len()]);
        let at = keys.at("name");
        keys.finish(faults);
        match coded {
            Ok(target) => targets.push(OwnTarget { name, modalities, target }),
            Err(what) if !name.is_empty() => faults.add(at, what),
            Err(_) => {}
        }
    }
    if targets.len() > TARGETS_MAX {
        faults.add("target", format!("{} targets, {TARGETS_MAX} are allowed", targets.len()));
    }
    targets
}

fn read_modalities(keys: &mut Section, faults: &mut Faults) -> Vec<Modality> {
    let at = keys.at("modalities");
    let words = keys.texts("modalities", faults);
    if words.is_empty() {
        faults.add(&at, "at least one modality is wanted, such as \"CT\" or \"MRI\"");
    }
    let known = || Modality::ALL.map(Modality::name).join(", ");
    let named = words.iter().filter_map(|word| {
        let modality = Modality::named(word);
        if modality.is_none() {
            faults.add(&at, format!("\"{word}\" is none of {}", known()));
        }
        modality
    });
    named.collect()
}

/// What the catalogue has under a name: a target of v2, an object type of v1, or a concept.
fn coded(name: &str, color_rgb: [u8; 3]) -> Result<Target, String> {
    let catalogue = catalogue();
    if let Some(volume) = catalogue.volumes().iter().find(|target| target.name == name) {
        return catalogue.volume_target(volume).map_err(|error| error.to_string());
    }
    if let Some(object) = catalogue.object(name) {
        return catalogue.target(object, None).map_err(|error| error.to_string());
    }
    let concept = catalogue.concept(name).filter(|concept| concept.verified);
    let concept =
        concept.ok_or_else(|| format!("the catalogue has no verified code for \"{name}\""))?;
    Ok(of_concept(name, concept, color_rgb))
}

fn of_concept(name: &str, concept: &Concept, color_rgb: [u8; 3]) -> Target {
    Target {
        label: name.to_owned(),
        category: concept.category.clone(),
        property_type: concept.property_type.clone(),
        laterality: concept.laterality().cloned(),
        anatomic_region: concept.region.clone(),
        color_rgb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_catalogue() {
        let left = coded("left kidney", [0; 3]).unwrap();
        assert_eq!(left.laterality.unwrap().meaning, "Left");
        assert_eq!(coded("bone", [1, 2, 3]).unwrap().color_rgb, [1, 2, 3]);
        assert_eq!(coded("inferior vena cava", [0; 3]).unwrap().label, "inferior vena cava");
        assert!(coded("left autochthon", [0; 3]).unwrap_err().contains("no verified code"));
        assert!(coded("soul", [0; 3]).unwrap_err().contains("\"soul\""));
    }
}
