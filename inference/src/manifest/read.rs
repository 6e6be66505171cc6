//! From the text of `model.toml` to a [`Manifest`], all faults at once.

use std::path::{Path, PathBuf};

use domain::ModelIdentity;

use super::files;
use super::input::{Input, read_input, read_slice_grid, read_volume_grid};
use super::keys::Section;
use super::labels::read_labels;
use super::output::{Mode, read_mode, read_output};
use super::prompt::read_prompt;
use super::{Kind, LabelSpec, Manifest, Plan, Spec};
use crate::faults::{Faults, ModelFaults};

/// The only format there is.
const FORMAT: usize = 1;

/// Reads a model folder.
pub(crate) fn read(dir: &Path) -> Result<Manifest, ModelFaults> {
    let text = files::read_text(dir)
        .map_err(|error| Faults::only(dir.join("model.toml").display().to_string(), error))?;
    let table = text.parse::<toml::Table>();
    let table = table.map_err(|error| Faults::only("model.toml", error.to_string().trim_end()))?;
    let mut root = Section::new("", table);
    let mut faults = Faults::default();
    if root.whole("format", 1, &mut faults) != Some(FORMAT) {
        faults.add("format", format!("must be {FORMAT}, the format that this version reads"));
    }
    let manifest = read_root(dir, &text, root, &mut faults);
    faults.into_result()?;
    Ok(manifest)
}

fn read_root(dir: &Path, text: &str, mut root: Section, faults: &mut Faults) -> Manifest {
    let mut about_keys = root.section("model", faults);
    let about = read_about(&mut about_keys, faults);
    let (spec, sha256) = match about.kind {
        Kind::Prompt => {
            about_keys.finish(faults);
            let (spec, sha256) = read_prompt((dir, text), root, faults);
            (Spec::Prompt(Box::new(spec)), sha256)
        }
        Kind::Volume => read_labelling(read_volume_plan, (dir, text), [about_keys, root], faults),
        Kind::Slice => read_labelling(read_slice_plan, (dir, text), [about_keys, root], faults),
    };
    Manifest {
        identity: ModelIdentity { sha256, ..about.identity },
        licence: about.licence,
        modalities: about.modalities,
        minimum_slices: about.minimum_slices,
        spec,
    }
}

/// A network with a fixed list of labels, and its hash; the sections are `[model]` and the root.
fn read_labelling(
    of_kind: PlanReader,
    (dir, text): (&Path, &str),
    [mut about, mut root]: [Section; 2],
    faults: &mut Faults,
) -> (Spec, String) {
    let (file, sha256) = read_files(dir, text, &mut about, faults);
    about.finish(faults);
    let (input, plan) = read_plan(of_kind, &mut root, faults);
    let mut output_keys = root.section("output", faults);
    let output = read_output(&mut output_keys, faults);
    output_keys.finish(faults);
    let labels = read_labels(&mut root, output.activation, faults);
    root.finish(faults);
    (Spec::Labels(Box::new(LabelSpec { file, input, plan, output, labels })), sha256)
}

/// `[model]`, but for its files.
struct About {
    identity: ModelIdentity,
    licence: Option<String>,
    kind: Kind,
    modalities: Vec<String>,
    minimum_slices: usize,
}

fn read_about(keys: &mut Section, faults: &mut Faults) -> About {
    let name = keys.required_text("name", faults);
    let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.len() > 64 || !name.chars().all(in_name) {
        faults.add(keys.at("name"), "1 to 64 of a-z, 0-9 and - are wanted");
    }
    let version = keys.required_text("version", faults);
    let title = keys.required_text("title", faults);
    let manufacturer = keys.required_text("manufacturer", faults);
    for (key, text) in [("version", &version), ("title", &title), ("manufacturer", &manufacturer)] {
        // They become values of VR LO.
        if text.chars().count() > 64 || text.contains(|c: char| c == '\\' || c.is_control()) {
            faults.add(keys.at(key), "at most 64 characters, no backslash, no control character");
        }
    }
    let licence = keys.text("licence", faults);
    let kinds = [("volume", Kind::Volume), ("slice", Kind::Slice), ("prompt", Kind::Prompt)];
    let kind = keys.required_choice("kind", &kinds, faults).unwrap_or(Kind::Volume);
    let modalities = read_modalities(keys, faults);
    let minimum_slices = keys.whole("minimum_slices", 1, faults).unwrap_or(1);
    let identity = ModelIdentity { name, version, title, manufacturer, sha256: String::new() };
    About { identity, licence, kind, modalities, minimum_slices }
}

fn read_files(
    dir: &Path,
    text: &str,
    keys: &mut Section,
    faults: &mut Faults,
) -> (PathBuf, String) {
    let at = keys.at("file");
    let name = keys.required_text("file", faults);
    let data_at = keys.at("data");
    let data = keys.texts("data", faults);
    let mut found = Vec::new();
    if !name.is_empty() {
        found.extend(files::find(dir, &name, &at, faults));
    }
    found.extend(data.iter().filter_map(|name| files::find(dir, name, &data_at, faults)));
    // Hashing gigabytes for a manifest that is faulty anyway helps nobody.
    let sha256 = if faults.is_empty() { files::hash(text, &found, faults) } else { String::new() };
    (dir.join(name), sha256)
}

fn read_modalities(keys: &mut Section, faults: &mut Faults) -> Vec<String> {
    let modalities = keys.texts("modalities", faults);
    let is_cs = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if modalities.is_empty() {
        faults
            .add(keys.at("modalities"), "at least one value of Modality is wanted, such as \"CT\"");
    }
    if modalities.iter().any(|text| text.is_empty() || text.len() > 16 || !text.chars().all(is_cs))
    {
        faults
            .add(keys.at("modalities"), "values of Modality are wanted, such as \"CT\" or \"MR\"");
    }
    modalities
}

/// Reads `[input]` and `[inference]` of one kind; the sections are input, its grid, inference.
type PlanReader = fn([&mut Section; 3], &mut Faults) -> (Input, Plan);

fn read_plan(of_kind: PlanReader, root: &mut Section, faults: &mut Faults) -> (Input, Plan) {
    let mut input = root.section("input", faults);
    let mut grid = input.section("grid", faults);
    let mut inference = root.section("inference", faults);
    let (read, plan) = of_kind([&mut input, &mut grid, &mut inference], faults);
    check_size(read.channels, &plan, faults);
    input.finish(faults);
    grid.finish(faults);
    inference.finish(faults);
    (read, plan)
}

fn read_volume_plan(
    [input, grid, inference]: [&mut Section; 3],
    faults: &mut Faults,
) -> (Input, Plan) {
    let input = read_input(input, grid, "NCDHW", faults);
    let grid = read_volume_grid(grid, faults);
    let mode = read_mode(inference, faults);
    if matches!(mode, Mode::Blocks { .. }) && input.channels > 1 {
        faults.add("inference.mode", "\"blocks\" is for networks of one input channel");
    }
    (input, Plan::Volume { grid, mode })
}

fn read_slice_plan([input, grid, _]: [&mut Section; 3], faults: &mut Faults) -> (Input, Plan) {
    let input = read_input(input, grid, "NCHW", faults);
    (input, Plan::Slice(read_slice_grid(grid, faults)))
}

/// Most values of an input tensor that a manifest may ask for: 2 GiB.
const INPUT_VALUES_MAX: usize = 1 << 29;

fn check_size(channels: usize, plan: &Plan, faults: &mut Faults) {
    let (at, sizes) = match plan {
        Plan::Volume { mode: Mode::Sliding { size, .. }, .. } => ("inference.size", size.to_vec()),
        Plan::Volume { grid, .. } => ("input.grid.size", grid.size.unwrap_or([1; 3]).to_vec()),
        Plan::Slice(grid) => {
            let [rows, columns] = grid.size.unwrap_or([1; 2]);
            ("input.grid.size", vec![grid.batch, rows, columns])
        }
    };
    // A 0 stands for the whole axis, which is not known here.
    let mut sizes = sizes.into_iter().map(|size| size.max(1));
    let values = sizes.try_fold(channels, |product, size| product.checked_mul(size));
    if values.is_none_or(|values| values > INPUT_VALUES_MAX) {
        let what = format!("the input tensor would have more than {INPUT_VALUES_MAX} values");
        faults.add(at, what);
    }
}
