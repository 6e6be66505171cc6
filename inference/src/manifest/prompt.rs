//! What stands in the `model.toml` of a promptable model behind `[model]`. Does not know what its graphs hold.

use std::path::{Path, PathBuf};

use domain::Turn;

use super::files;
use super::keys::Section;
use super::statistics::{self, Statistics};
use super::targets::{OwnTarget, read_targets};
use crate::faults::Faults;
use crate::picture::Generation;

/// A model that is asked by text: three graphs, and how slices are prepared for them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PromptSpec {
    /// Which of the two contracts its graphs keep.
    pub(crate) generation: Generation,
    /// Side of the square picture, in pixels: S.
    pub(crate) side: usize,
    /// What it was trained to find.
    pub(crate) vocabulary: Vocabulary,
    /// Least p-value of a mask that is reported, 0 to 1; 0 rejects nothing.
    pub(crate) p_least: f64,
    /// How a slice is turned before the model sees it.
    pub(crate) turn: Turn,
    /// CT windows of its own; empty: those of its generation.
    pub(crate) windows: Vec<CtWindow>,
    /// Once a slice.
    pub(crate) image_encoder: PathBuf,
    /// Once a prompt.
    pub(crate) text_encoder: PathBuf,
    /// Once a slice and prompt.
    pub(crate) mask_decoder: PathBuf,
    /// Distributions of its own for p-values; `None`: the published ones for v1, none for v2.
    pub(crate) statistics: Option<Statistics>,
}

/// Where the words of a model come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Vocabulary {
    /// Object types and tested prompts of v1.
    V1,
    /// Targets of v2.
    V2,
    /// Its own list, never empty.
    Own(Vec<OwnTarget>),
}

/// A CT window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CtWindow {
    /// Its name: a site, a tissue, or a word of the model's own.
    pub(crate) name: String,
    /// Black, in HU.
    pub(crate) low_hu: f64,
    /// White, in HU; above `low_hu`.
    pub(crate) high_hu: f64,
}

/// Sides are multiples of this.
const SIDE_MULTIPLE: usize = 32;
/// Largest side: a picture of it takes 200 MB as a tensor.
const SIDE_MAX: usize = 4096;

/// Reads everything behind `[model]`, and the hash of `model.toml` and all files.
pub(super) fn read_prompt(
    (dir, text): (&Path, &str),
    mut root: Section,
    faults: &mut Faults,
) -> (PromptSpec, String) {
    let mut keys = root.section("prompt", faults);
    let generations = [("v1", Generation::V1), ("v2", Generation::V2)];
    let generation = keys.required_choice("generation", &generations, faults);
    let generation = generation.unwrap_or(Generation::V1);
    let side = read_side(&mut keys, faults);
    let vocabulary = read_vocabulary(&mut keys, &mut root, faults);
    keys.required_choice("tokenizer", &[("clip", ())], faults);
    let p_least = read_p_least(&mut keys, generation, faults);
    let turn = read_turn(&mut keys, faults);
    keys.finish(faults);
    let windows = read_windows(&mut root, faults);
    let mut file_keys = root.section("files", faults);
    let found = FilesFound::read(dir, &mut file_keys, faults);
    file_keys.finish(faults);
    root.finish(faults);
    let sha256 = found.check(text, faults);
    let statistics = found.statistics(faults);
    let [image_encoder, text_encoder, mask_decoder] = found.graphs();
    let spec = PromptSpec {
        generation,
        side,
        vocabulary,
        p_least,
        turn,
        windows,
        image_encoder,
        text_encoder,
        mask_decoder,
        statistics,
    };
    (spec, sha256)
}

fn read_side(keys: &mut Section, faults: &mut Faults) -> usize {
    if !keys.has("side") {
        faults.add(keys.at("side"), "missing");
    }
    let side = keys.whole("side", 1, faults).unwrap_or(SIDE_MULTIPLE);
    if !side.is_multiple_of(SIDE_MULTIPLE) || side > SIDE_MAX {
        let what = format!("a multiple of {SIDE_MULTIPLE} up to {SIDE_MAX} is wanted, not {side}");
        faults.add(keys.at("side"), what);
    }
    side
}

#[derive(Debug, Clone, Copy)]
enum Words {
    V1,
    V2,
    Own,
}

fn read_vocabulary(keys: &mut Section, root: &mut Section, faults: &mut Faults) -> Vocabulary {
    let words = [("v1", Words::V1), ("v2", Words::V2), ("own", Words::Own)];
    let chosen = keys.required_choice("vocabulary", &words, faults);
    let listed = root.has("target");
    let targets = read_targets(root, faults);
    match chosen {
        Some(Words::Own) => {
            if !listed {
                faults.add("target", "vocabulary \"own\" wants at least one [[target]]");
            }
            Vocabulary::Own(targets)
        }
        Some(chosen @ (Words::V1 | Words::V2)) => {
            if listed {
                faults.add("target", "is for vocabulary \"own\" only");
            }
            if matches!(chosen, Words::V1) { Vocabulary::V1 } else { Vocabulary::V2 }
        }
        None => Vocabulary::V1,
    }
}

/// The least p-value that upstream advises.
const P_LEAST: f64 = 0.05;

fn read_p_least(keys: &mut Section, generation: Generation, faults: &mut Faults) -> f64 {
    let default = match generation {
        Generation::V1 => P_LEAST,
        Generation::V2 => 0.0,
    };
    let p_least = keys.number("p_least", faults).unwrap_or(default);
    if !(0.0..=1.0).contains(&p_least) {
        faults.add(keys.at("p_least"), "p-values are from 0 to 1");
    }
    p_least
}

fn read_turn(keys: &mut Section, faults: &mut Faults) -> Turn {
    let Some(word) = keys.text("turn", faults) else { return Turn::default() };
    let turn = Turn::named(&word);
    if turn.is_none() {
        let what = format!(
            "\"none\", \"90\", \"180\" or \"270\" is wanted, or one behind \"mirror-\", not \"{word}\""
        );
        faults.add(keys.at("turn"), what);
    }
    turn.unwrap_or_default()
}

fn read_windows(root: &mut Section, faults: &mut Faults) -> Vec<CtWindow> {
    let mut windows: Vec<CtWindow> = Vec::new();
    for mut keys in root.sections("window", faults) {
        let name = keys.required_text("name", faults);
        if windows.iter().any(|earlier| earlier.name == name) {
            faults.add(keys.at("name"), format!("there is a window \"{name}\" already"));
        }
        let ends = ["low_hu", "high_hu"].map(|key| {
            if !keys.has(key) {
                faults.add(keys.at(key), "missing");
            }
            keys.number(key, faults)
        });
        if let [Some(low), Some(high)] = ends
            && low >= high
        {
            faults.add(keys.at("low_hu"), "must be below high_hu");
        }
        keys.finish(faults);
        let [low_hu, high_hu] = ends.map(Option::unwrap_or_default);
        windows.push(CtWindow { name, low_hu, high_hu });
    }
    windows
}

/// A file of the folder with the checksum that the manifest gives for it.
struct Listed {
    at: String,
    path: PathBuf,
    sha256: String,
}

/// `[files]`: the three graphs, and the statistics where there are some.
struct FilesFound {
    graphs: [Option<Listed>; 3],
    statistics: Option<Listed>,
}

impl FilesFound {
    fn read(dir: &Path, files: &mut Section, faults: &mut Faults) -> Self {
        let graphs = ["image_encoder", "text_encoder", "mask_decoder"].map(|key| {
            if !files.has(key) {
                faults.add(files.at(key), "missing; file and sha256 are wanted");
                return None;
            }
            read_listed(dir, files.section(key, faults), faults)
        });
        let statistics = files.has("statistics").then(|| files.section("statistics", faults));
        let statistics = statistics.and_then(|section| read_listed(dir, section, faults));
        Self { graphs, statistics }
    }

    fn all(&self) -> impl Iterator<Item = &Listed> {
        self.graphs.iter().flatten().chain(&self.statistics)
    }

    /// Compares the checksums; gives the hash of the manifest's text and all files, one after the other.
    fn check(&self, text: &str, faults: &mut Faults) -> String {
        // Hashing gigabytes for a manifest that is faulty anyway helps nobody.
        if !faults.is_empty() {
            return String::new();
        }
        let paths: Vec<PathBuf> = self.all().map(|listed| listed.path.clone()).collect();
        let (whole, each) = files::hash_each(text, &paths, faults);
        for (listed, found) in self.all().zip(each) {
            if found != listed.sha256 {
                let name = listed.path.file_name().unwrap_or_default().to_string_lossy();
                let what = format!("{name} has sha256 {found}, not {}", listed.sha256);
                faults.add(format!("{}.sha256", listed.at), what);
            }
        }
        whole
    }

    fn statistics(&self, faults: &mut Faults) -> Option<Statistics> {
        let listed = self.statistics.as_ref().filter(|_| faults.is_empty())?;
        let read = statistics::read(&listed.path);
        read.map_err(|what| faults.add(format!("{}.file", listed.at), what)).ok()
    }

    fn graphs(self) -> [PathBuf; 3] {
        self.graphs.map(|listed| listed.map(|listed| listed.path).unwrap_or_default())
    }
}

fn read_listed(dir: &Path, mut keys: Section, faults: &mut Faults) -> Option<Listed> {
    let at = keys.at("file");
    let name = keys.required_text("file", faults);
    let sha256 = keys.required_text("sha256", faults);
    let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if !sha256.is_empty() && (sha256.len() != 64 || !sha256.chars().all(digits)) {
        faults.add(keys.at("sha256"), "64 lower-case hex digits are wanted");
    }
    keys.finish(faults);
    let path = if name.is_empty() { None } else { files::find(dir, &name, &at, faults) };
    let at = at.trim_end_matches(".file").to_owned();
    path.map(|path| Listed { at, path, sha256 })
}
