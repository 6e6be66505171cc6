//! `parsenode run`: the pipeline over files, without network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{
    AeTitle, After, Extent, Findings, Limits, RoutingTable, Segment, Unsuitable, Verdict,
};
use inference::{Model, RuntimeOptions};
use serde::Serialize;
use series::SourceInstance;
use sr_writer::{Companions, Device, LabelMapCoding, ResultInstance, ResultSet, WriteContext};

use crate::cli::RunArgs;
use crate::clock;
use crate::failure::{Failure, Fault, OrFail};
use crate::files;
use crate::models::{self, Models};
use crate::overlay::Picture;
use crate::pipeline::{self, Processed, Wanted};
use crate::progress::Progress;
use crate::settings;
use crate::text;

/// One segment of the outcome.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentRow {
    label: String,
    code: String,
    /// Absent for frames without a place in the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_ml: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_mm2: Option<f64>,
    pixels: usize,
    mean: Option<f64>,
    standard_deviation: Option<f64>,
    confidence: Option<f64>,
    color: String,
}

/// What became of one series under one model.
#[derive(Debug, Serialize)]
pub(crate) struct SeriesOutcome {
    series: String,
    model: String,
    instances: usize,
    /// Why nothing came out; absent when something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsuitable: Option<String>,
    segments: Vec<SegmentRow>,
    absent: Vec<String>,
    files: Vec<PathBuf>,
}

/// What runs over a series, and in whose name.
struct Choice {
    models: Models,
    routing: Option<RoutingTable>,
    called: Option<AeTitle>,
    limits: Limits,
    device: Device,
}

impl Choice {
    /// The models for a series: the only one there is, or those of the rules that take the series.
    fn of(&self, instances: &[Arc<SourceInstance>]) -> Vec<Arc<Model>> {
        let Some(routing) = &self.routing else { return self.models.values().cloned().collect() };
        let facts = series::facts(instances, None, self.called.clone());
        let verdicts =
            [After::Series, After::Study].map(|after| pipeline::route(&facts, routing, after));
        let taken =
            verdicts.into_iter().flatten().filter(|(_, verdict)| *verdict == Verdict::Taken);
        let names: BTreeSet<&str> = taken.map(|(rule, _)| rule.model.as_str()).collect();
        names.into_iter().filter_map(|name| self.models.get(name).cloned()).collect()
    }
}

/// Runs the command.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let choice = choose(args)?;
    let found = files::read(&args.paths, &choice.limits)?;
    for (path, reason) in &found.skipped {
        tracing::warn!("skipped {}: {reason}", path.display());
    }
    let mut outcomes = Vec::new();
    for instances in found.series.values() {
        outcomes.extend(run_series(args, &choice, instances)?);
    }
    print(args, &outcomes)?;
    if outcomes.iter().all(|outcome| outcome.unsuitable.is_some()) {
        return Err(Failure::new(Fault::Input, "no series could be used"));
    }
    Ok(())
}

fn choose(args: &RunArgs) -> Result<Choice, Failure> {
    let config = args.config.as_deref().map(settings::load).transpose()?;
    let options = match &config {
        Some(config) => settings::runtime_options(config)?,
        None => RuntimeOptions {
            library: args.onnxruntime.clone(),
            threads: args.threads,
            ..RuntimeOptions::default()
        },
    };
    let runtime = models::runtime(&options)?;
    let models = match (&config, &args.model) {
        (Some(config), _) => models::load_all(config, &runtime)?,
        (None, Some(folder)) => one(models::load(folder, &runtime)?),
        (None, None) => one(models::load_built_in(&runtime)?),
    };
    refuse_prompts(args, &models)?;
    Ok(Choice {
        models,
        limits: config.as_ref().map(|config| config.limits.clone()).unwrap_or_default(),
        device: config.as_ref().map_or_else(settings::default_device, settings::device),
        called: config.as_ref().map(|config| config.node.ae_title.clone()),
        routing: config.map(|config| config.routing),
    })
}

fn one(model: Arc<Model>) -> Models {
    Models::from([(model.manifest().identity().name.clone(), model)])
}

/// Models that take prompts come with the kind `prompt`; none of today's kinds does.
fn refuse_prompts(args: &RunArgs, models: &Models) -> Result<(), Failure> {
    if args.prompt.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = models.keys().map(String::as_str).collect();
    Err(Failure::new(
        Fault::Misuse,
        format!("{} takes no prompts; leave --prompt out", names.join(", ")),
    ))
}

fn run_series(
    args: &RunArgs,
    choice: &Choice,
    instances: &[Arc<SourceInstance>],
) -> Result<Vec<SeriesOutcome>, Failure> {
    let chosen = choice.of(instances);
    if chosen.is_empty() {
        let series = &instances[0].identity.series;
        tracing::warn!("series {series}: no rule takes it; see parsenode route");
    }
    chosen.iter().map(|model| run_model(args, choice, model, instances)).collect()
}

fn run_model(
    args: &RunArgs,
    choice: &Choice,
    model: &Model,
    instances: &[Arc<SourceInstance>],
) -> Result<SeriesOutcome, Failure> {
    let name = model.manifest().identity().name.clone();
    let series = instances[0].identity.series.to_string();
    let progress =
        Progress::spinner(&format!("{name} over {} instances of {series}", instances.len()));
    let processed = infer(args, choice, model, instances);
    progress.finish();
    let mut outcome = SeriesOutcome {
        series: series.clone(),
        model: name.clone(),
        instances: instances.len(),
        unsuitable: None,
        segments: vec![],
        absent: vec![],
        files: vec![],
    };
    match processed {
        Ok(processed) => {
            let folder = args.out.join(series).join(name);
            outcome.files = write_files(&processed, &folder, !args.no_overlay)?;
            outcome.segments = processed.findings.segments.iter().map(row).collect();
            outcome.absent = absent(&processed.findings);
        }
        Err(unsuitable) => outcome.unsuitable = Some(unsuitable.to_string()),
    }
    Ok(outcome)
}

fn infer(
    args: &RunArgs,
    choice: &Choice,
    model: &Model,
    instances: &[Arc<SourceInstance>],
) -> Result<Processed, Unsuitable> {
    let source = series::assemble(instances, &choice.limits)?;
    let created = args.started.map_or_else(clock::now, |started| started.0);
    let context = |form| WriteContext {
        device: choice.device.clone(),
        created,
        form,
        label_maps: LabelMapCoding::Plain,
        companions: Companions::default(),
        backdrops: vec![],
        rejected: vec![],
        predecessor: None,
    };
    let wanted = Wanted { forms: vec![args.form()], companions: args.companions() };
    pipeline::process(model, &source, &wanted, context)
}

fn write_files(
    processed: &Processed,
    folder: &Path,
    overlay: bool,
) -> Result<Vec<PathBuf>, Failure> {
    let on = || folder.display().to_string();
    fs::create_dir_all(folder).or_fail(Fault::Disk, on)?;
    let mut files = Vec::new();
    for (name, result) in processed.results.iter().flat_map(|(_, set)| file_names(set)) {
        let path = folder.join(name);
        fs::write(&path, &result.file).or_fail(Fault::Disk, on)?;
        files.push(path);
    }
    if overlay {
        let path = folder.join("overlay.png");
        Picture::of(&processed.volume, &processed.findings)
            .write(&path)
            .or_fail(Fault::Disk, on)?;
        files.push(path);
    }
    Ok(files)
}

/// The file names of results: their kinds, numbered from the second of a kind on.
pub(crate) fn file_names(results: &ResultSet) -> Vec<(String, &ResultInstance)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let name = |result| {
        let result: &ResultInstance = result;
        let kind = result.kind.as_str();
        let count = counts.entry(kind).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{kind}.dcm") } else { format!("{kind}-{count}.dcm") };
        (name, result)
    };
    results.instances().map(name).collect()
}

fn row(segment: &Segment) -> SegmentRow {
    let [red, green, blue] = segment.target.color_rgb;
    let measured = &segment.measurements;
    SegmentRow {
        label: segment.target.label.clone(),
        code: segment.target.property_type.to_string(),
        volume_ml: measured.extent.volume_mm3().map(|volume| volume / 1000.0),
        area_mm2: area_mm2(&measured.extent),
        pixels: measured.voxel_count,
        mean: measured.intensity.map(|intensity| intensity.mean),
        standard_deviation: measured.intensity.map(|intensity| intensity.standard_deviation),
        confidence: segment.confidence.map(|confidence| confidence.0),
        color: format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn area_mm2(extent: &Extent) -> Option<f64> {
    match extent {
        Extent::Planar { area_mm2, .. } => Some(*area_mm2),
        Extent::Volumetric { .. } | Extent::Pixels { .. } => None,
    }
}

fn absent(findings: &Findings) -> Vec<String> {
    findings.absent.iter().map(|absent| absent.target.label.clone()).collect()
}

fn print(args: &RunArgs, outcomes: &[SeriesOutcome]) -> Result<(), Failure> {
    if args.json {
        return text::print_json(&outcomes);
    }
    for outcome in outcomes {
        text::print_line(&format!(
            "series {} · {} instances · {}",
            outcome.series, outcome.instances, outcome.model
        ))?;
        match &outcome.unsuitable {
            Some(reason) => text::print_line(&format!("  not usable: {reason}"))?,
            None => text::print_line(&segment_table(outcome))?,
        }
        for file in &outcome.files {
            text::print_line(&format!("  {}", file.display()))?;
        }
    }
    text::print_line("Results of an algorithm. Not for diagnosis.")
}

/// Volume, area, or the number of pixels where their size is unknown.
fn size_text(row: &SegmentRow) -> String {
    match (row.volume_ml, row.area_mm2) {
        (Some(ml), _) => format!("{ml:.1} mL"),
        (None, Some(mm2)) => format!("{mm2:.1} mm2"),
        (None, None) => format!("{} pixels", row.pixels),
    }
}

fn segment_table(outcome: &SeriesOutcome) -> String {
    let mut table =
        text::Table::new(&["segment", "code", "size", "mean", "SD", "confidence", "colour"]);
    for row in &outcome.segments {
        let confidence =
            row.confidence.map_or_else(|| "-".into(), |value| format!("{:.1} %", value * 100.0));
        let shown = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{v:.1}"));
        let (mean, deviation) = (shown(row.mean), shown(row.standard_deviation));
        let size = size_text(row);
        table.add(&[&row.label, &row.code, &size, &mean, &deviation, &confidence, &row.color]);
    }
    for label in &outcome.absent {
        table.add(&[label, "not found", "", "", "", "", ""]);
    }
    table.to_string()
}
