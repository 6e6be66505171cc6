//! The catalogue as text, for people at a terminal.

use std::fmt::Write as _;

use crate::catalogue::{Catalogue, catalogue};
use crate::find::{Context, Found, Vocabulary, find};
use crate::imaging::{Imaging, Sequence};
use crate::object::{Category, ObjectType};
use crate::prompt::TestedPrompt;
use crate::resolve::FindError;
use crate::site::Site;

/// All object types by category and meta type: where each was trained, how well it was tested, and its code.
///
/// A code behind `~` is less exact than the object type, because its own is not verified.
#[must_use]
pub fn list_text() -> String {
    let catalogue = catalogue();
    let objects = catalogue.objects();
    let mut text = String::new();
    let mut before: Option<(Category, &str)> = None;
    for object in objects {
        let section = if object.listed { object.meta } else { "outside the hierarchy" };
        if before != Some((object.category, section)) {
            line(&mut text, &format!("{}: {section}", object.category.name()));
        }
        before = Some((object.category, section));
        let place = format!("{} at {}", modalities(object), object.sites.join(", "));
        let row = format!("{:<28}{:<36}{}", object.name, code(catalogue, object), place);
        line(&mut text, &format!("  {row}"));
        if let Some(tested) = tested(catalogue, object) {
            line(&mut text, &format!("  {:<28}{tested}", ""));
        }
    }
    line(&mut text, "Types of recognition");
    for kind in catalogue.recognition() {
        line(&mut text, &format!("  {:<28}{}", kind.name, kind.targets.join(", ")));
    }
    let listed = objects.iter().filter(|object| object.listed).count();
    let (sites, prompts) = (catalogue.sites().filter(|site| site.counted), catalogue.prompts());
    line(
        &mut text,
        &format!(
            "{listed} object types and {} more names, 9 modalities, {} sites, {} test tasks, {} with statistics",
            objects.len() - listed,
            sites.count(),
            prompts.len(),
            catalogue.statistics().len()
        ),
    );
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn modalities(object: &ObjectType) -> String {
    let names: Vec<&str> = object.modalities.iter().map(|modality| modality.name()).collect();
    names.join(", ")
}

fn code(catalogue: &Catalogue, object: &ObjectType) -> String {
    match catalogue.written_concept(object) {
        Ok(concept) => {
            let exact = if concept.key == object.concept { "" } else { "~" };
            let code = &concept.property_type;
            let side =
                concept.laterality().map_or(String::new(), |side| format!(", {}", side.meaning));
            format!("{exact}{} {}{side}", code.value, code.meaning)
        }
        Err(refused) => refused.to_string(),
    }
}

/// The published Dice, one for each sentence.
fn tested(catalogue: &Catalogue, object: &ObjectType) -> Option<String> {
    let prompts = catalogue.prompts().iter();
    let prompts = prompts.filter(|prompt| prompt.object == object.name && prompt.split.is_none());
    let tested: Vec<String> = prompts
        .map(|prompt| format!("\"{}\" Dice {:.3}", prompt.sentence(), prompt.dice_median))
        .collect();
    let most = tested.len().min(4);
    let more = tested.len() - most;
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (most > 0).then(|| tested[..most].join(", ") + &more)
}

/// What words mean: the sentences for each kind of image that they fit, the object type, its code and published Dice.
///
/// # Errors
/// Why the words lead to nothing.
pub fn find_text(words: &str) -> Result<String, FindError> {
    let found = meanings(words)?;
    let catalogue = catalogue();
    let mut text = String::new();
    for found in found {
        line(&mut text, &found.understood);
        let Some(object) = found.object else { continue };
        line(&mut text, &format!("  object      {} ({})", object.name, object.meta));
        match catalogue.target(object, found.site) {
            Ok(target) => {
                let mut code = format!("{} as {}", target.property_type, target.category);
                let more = [target.laterality, target.anatomic_region];
                for more in more.into_iter().flatten() {
                    let _infallible = write!(code, ", {more}");
                }
                line(&mut text, &format!("  code        {code}"));
            }
            Err(refused) => line(&mut text, &format!("  code        {refused}")),
        }
        if let Some(concept) = catalogue.concept(object.concept).filter(|own| !own.verified) {
            let note = concept.note.unwrap_or("seen in no source that follows the standard");
            line(
                &mut text,
                &format!("  not exact   the code of {} is not verified: {note}", concept.key),
            );
        }
        let dice = found.tested.map_or_else(|| "none published".to_owned(), dice);
        line(&mut text, &format!("  Dice        {dice}"));
        for note in &found.notes {
            line(&mut text, &format!("  note        {note}"));
        }
    }
    Ok(text)
}

fn dice(prompt: &TestedPrompt) -> String {
    let (mean, median, images) = (prompt.dice_mean, prompt.dice_median, prompt.images);
    format!("mean {mean:.3}, median {median:.3} over {images} images")
}

/// The one sentence of words that say everything, else one for each image that the words fit.
fn meanings(words: &str) -> Result<Vec<Found>, FindError> {
    let error = match find(words, &Context::default(), Vocabulary::Closed) {
        Ok(found) => return Ok(vec![found]),
        Err(error) => error,
    };
    let mut meanings: Vec<Found> = vec![];
    for (imaging, site) in images() {
        let context = Context {
            modality: Some(imaging.modality()),
            site: Some(site),
            sequence: Some(imaging.sequence()).filter(|sequence| *sequence != Sequence::Plain),
            why: vec![],
        };
        let found = find(words, &context, Vocabulary::Closed).ok();
        // Notes mean that the words do not quite fit the image.
        let fitting = found.filter(|found| found.notes.is_empty());
        let new =
            |found: &Found| !meanings.iter().any(|known| known.understood == found.understood);
        if let Some(found) = fitting.filter(new) {
            meanings.push(found);
        }
    }
    if meanings.is_empty() { Err(error) } else { Ok(meanings) }
}

/// Each modality and sequence at each site at which it was tested or trained.
fn images() -> Vec<(Imaging, &'static Site)> {
    let catalogue = catalogue();
    let tested = catalogue.prompts().iter().map(|prompt| (prompt.imaging, prompt.site));
    let trained = catalogue.training().iter().filter_map(|training| {
        Some((Imaging::new(training.modality, Sequence::Plain), training.site?))
    });
    let mut images: Vec<(Imaging, &'static Site)> = vec![];
    for (imaging, name) in tested.chain(trained) {
        let Some(site) = catalogue.site(name) else { continue };
        if !images.iter().any(|(known, at)| *known == imaging && at.says == site.says) {
            images.push((imaging, site));
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_type_is_listed_once() {
        let text = list_text();
        for object in catalogue().objects() {
            let begins = |line: &&str| line.starts_with(&format!("  {:<28}", object.name));
            assert_eq!(text.lines().filter(begins).count(), 1, "{}", object.name);
        }
        assert!(text.contains("~4421005 Cell"), "what is not exact is marked");
        assert!(text.ends_with("64 with statistics\n"), "{text}");
    }

    #[test]
    fn words_show_sentence_code_and_dice() {
        let text = find_text("Vena cava inferior im Abdomen CT").unwrap();
        assert_eq!(
            text,
            "postcava in abdomen CT\n  object      postcava (vessel)\n  \
             code        (64131007, SCT, \"Inferior vena cava\") as (91723000, SCT, \"Anatomical Structure\")\n  \
             Dice        mean 0.900, median 0.942 over 4105 images\n"
        );
        let both = find_text("LK").unwrap();
        assert!(both.contains("left kidney in abdomen CT\n") && both.contains("in abdomen MRI\n"));
        assert!(both.contains("(7771000, SCT, \"Left\")"));
        let tumors = find_text("tumor").unwrap();
        assert!(
            tumors.contains("tumor in liver CT") && tumors.contains("tumor in breast ultrasound")
        );
        assert!(find_text("optic cup").unwrap().contains("not exact"));
        assert!(matches!(find_text("spleeen"), Err(FindError::Unknown { .. })));
    }
}
