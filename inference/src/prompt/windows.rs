//! Which CT window a question's picture is made with.

use catalogue::{RecognitionType, Site, Version, VolumeTarget, catalogue};
use domain::Unsuitable;

use super::refused;
use crate::manifest::{CtWindow, Generation, PromptSpec};

/// What is known of a question when its window is chosen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sought {
    /// The site in its sentence.
    pub(super) site: Option<&'static Site>,
    /// Its type of recognition.
    pub(super) recognition: Option<&'static RecognitionType>,
    /// Its target, where it is one of v2.
    pub(super) volume: Option<&'static VolumeTarget>,
}

/// The windows of a model: its own, else those of its generation.
pub(super) fn windows_of(spec: &PromptSpec) -> Vec<CtWindow> {
    if !spec.windows.is_empty() {
        return spec.windows.clone();
    }
    let version = match spec.generation {
        Generation::V1 => Version::V1,
        Generation::V2 => Version::V2,
    };
    let published = catalogue().windows().iter().filter(|window| window.version == version);
    let window = |window: &catalogue::Window| CtWindow {
        name: window.name.to_owned(),
        low_hu: window.low_hu,
        high_hu: window.high_hu,
    };
    published.map(window).collect()
}

/// The window for a question.
///
/// What the rule names; else that of the tissue of a v2 target, wherever in the body the image is; else the one named like the
/// site in the sentence; else the one that the statistics of its type of recognition assume; else the one named like a site
/// around its site; else that of soft tissue, where there is one; else the only one there is.
///
/// # Errors
/// [`domain::UnsuitableCode::PromptRefused`], naming the windows, when none of these decides.
pub(super) fn window_for(
    spec: &PromptSpec,
    asked: Option<&str>,
    sought: Sought,
) -> Result<CtWindow, Unsuitable> {
    let windows = windows_of(spec);
    let named = |name: &str| windows.iter().find(|window| window.name == name);
    if let Some(name) = asked {
        return named(name).cloned().ok_or_else(|| none_named(name, &windows));
    }
    let at = |site: &Site| named(site.name).or_else(|| named(site.says));
    let around = |site: &'static Site| {
        let mut around = std::iter::successors(Some(site), |site| {
            site.within.and_then(|name| catalogue().site(name))
        });
        around.find_map(at)
    };
    let only = if let [only] = windows.as_slice() { Some(only) } else { None };
    let found = sought
        .volume
        .and_then(|volume| named(tissue(volume)))
        .or_else(|| sought.site.and_then(at))
        .or_else(|| sought.recognition.and_then(|kind| named(kind.window?)))
        .or_else(|| sought.site.and_then(around))
        .or_else(|| named(SOFT_TISSUE))
        .or(only);
    found.cloned().ok_or_else(|| undecided(sought.site, &windows))
}

fn names(windows: &[CtWindow]) -> String {
    windows.iter().map(|window| window.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn none_named(name: &str, windows: &[CtWindow]) -> Unsuitable {
    refused(format!("window \"{name}\" is none of {}", names(windows)))
}

fn undecided(site: Option<&Site>, windows: &[CtWindow]) -> Unsuitable {
    let of = site
        .map_or_else(|| "where the site is not known".into(), |site| format!("for {}", site.says));
    refused(format!("no CT window is known {of}; the rule may name one of {}", names(windows)))
}

/// The window of what has no window of its own in v2.
const SOFT_TISSUE: &str = "soft tissue";
/// Words in the names of v2 targets that are shown in the lung window.
const LUNG: [&str; 4] = ["lung", "trachea", "airway", "COVID-19"];
/// Words in the names of v2 targets that are shown in the bone window.
const BONE: [&str; 8] =
    ["vertebra", "sacrum", "humerus", "scapula", "clavicle", "femur", "hip", "skull"];
/// v2 targets that are shown in the brain window.
const BRAIN: [&str; 2] = ["brain", "brainstem"];

/// The tissue whose window shows a target of v2.
///
/// The windows are published, not which target was trained in which; this is our assignment, by what the window shows.
fn tissue(target: &VolumeTarget) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| target.name.contains(word));
    if says(&LUNG) {
        "lung"
    } else if says(&BONE) {
        "bone"
    } else if BRAIN.contains(&target.name) {
        "brain"
    } else {
        SOFT_TISSUE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tissues_of_all_targets_have_a_window() {
        let of = |name: &str| catalogue().volumes().iter().find(|t| t.name == name).map(tissue);
        assert_eq!(of("left upper lung lobe"), Some("lung"));
        assert_eq!(of("right hip"), Some("bone"));
        assert_eq!(of("brain"), Some("brain"));
        assert_eq!(of("liver"), Some("soft tissue"));
        let known =
            |target: &VolumeTarget| catalogue().window(Version::V2, tissue(target)).is_some();
        assert!(catalogue().volumes().iter().all(known));
    }
}
