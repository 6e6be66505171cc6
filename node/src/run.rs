//! `parsenode run`: the pipeline over files, without network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{AeTitle, After, Ask, Limits, RoutingTable, Unsuitable, Verdict};
use inference::{LoadOptions, Model, RuntimeOptions};
use series::SourceInstance;
use sr_writer::{Companions, Device, LabelMapCoding, ResultInstance, ResultSet, WriteContext};

use crate::asking;
use crate::cli::RunArgs;
use crate::clock;
use crate::failure::{Failure, Fault, OrFail};
use crate::files;
use crate::models::{self, Models};
use crate::outcome::SeriesOutcome;
use crate::overlay::Picture;
use crate::pipeline::{self, Inquiry, Processed};
use crate::progress::Progress;
use crate::settings;
use crate::text;
use crate::wanted::{Overlay, Wanted};

/// Most reasons that the last words name.
const REASONS_MAX: usize = 5;

/// A model, what it is asked, and where its results go.
#[derive(Clone)]
struct Chosen {
    model: Arc<Model>,
    ask: Ask,
    /// Below the folder of the series: the model's name, numbered where it is asked several things.
    folder: String,
}

/// What runs over a series, and in whose name.
struct Choice {
    models: Models,
    /// What the models are asked without a configuration.
    ask: Ask,
    routing: Option<RoutingTable>,
    called: Option<AeTitle>,
    limits: Limits,
    device: Device,
}

impl Choice {
    /// The models for a series: the only one there is, or those of the rules that take the series.
    fn of(&self, instances: &[Arc<SourceInstance>]) -> Vec<Chosen> {
        let Some(routing) = &self.routing else {
            let asked = self.models.values().map(|model| (model, &self.ask));
            return numbered(asked);
        };
        let facts = series::facts(instances, None, self.called.clone());
        let verdicts =
            [After::Series, After::Study].map(|after| pipeline::route(&facts, routing, after));
        let taken =
            verdicts.into_iter().flatten().filter(|(_, verdict)| *verdict == Verdict::Taken);
        numbered(taken.filter_map(|(rule, _)| Some((self.models.get(&rule.model)?, &rule.ask))))
    }
}

/// Each model with each question once.
fn numbered<'a>(asked: impl Iterator<Item = (&'a Arc<Model>, &'a Ask)>) -> Vec<Chosen> {
    let mut all: Vec<Chosen> = Vec::new();
    for (model, ask) in asked {
        let same = |chosen: &&Chosen| Arc::ptr_eq(&chosen.model, model);
        if all.iter().filter(same).any(|chosen| chosen.ask == *ask) {
            continue;
        }
        let name = &model.manifest().identity().name;
        let folder = match all.iter().filter(same).count() {
            0 => name.clone(),
            count => format!("{name}-{}", count + 1),
        };
        all.push(Chosen { model: Arc::clone(model), ask: ask.clone(), folder });
    }
    all
}

/// Runs the command.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let choice = choose(args)?;
    let began = clock::now();
    let found = files::read(&args.paths, &choice.limits)?;
    tracing::info!(millis = clock::now().since(began).as_millis(), "headers read");
    for (path, reason) in &found.skipped {
        tracing::warn!("skipped {}: {reason}", path.display());
    }
    let mut outcomes = Vec::new();
    for instances in found.series.values() {
        outcomes.extend(run_series(args, &choice, instances)?);
    }
    print(args, &outcomes)?;
    if outcomes.iter().all(|outcome| outcome.unsuitable.is_some()) {
        return Err(nothing_usable(&outcomes));
    }
    Ok(())
}

fn choose(args: &RunArgs) -> Result<Choice, Failure> {
    let ask = args.ask.ask()?;
    let config = args.config.as_deref().map(settings::load).transpose()?;
    let options = RuntimeOptions {
        library: args.onnxruntime.clone(),
        threads: args.threads,
        ..RuntimeOptions::default()
    };
    let models = match (&config, &args.model) {
        (Some(config), _) => models::load_all(config, &LoadOptions::default())?,
        (None, Some(folder)) => one(models::load(folder, &models::runtime(&options)?)?),
        (None, None) => one(models::load_built_in_for(&ask, &models::runtime(&options)?)?),
    };
    if config.is_none() {
        for model in models.values() {
            asking::check(model, &ask).map_err(|fault| Failure::new(Fault::Misuse, fault))?;
        }
    }
    Ok(Choice {
        models,
        ask,
        limits: config.as_ref().map(|config| config.limits.clone()).unwrap_or_default(),
        device: config.as_ref().map_or_else(settings::default_device, settings::device),
        called: config.as_ref().map(|config| config.node.ae_title.clone()),
        routing: config.map(|config| config.routing),
    })
}

fn one(model: Arc<Model>) -> Models {
    Models::from([(model.manifest().identity().name.clone(), model)])
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
    chosen.iter().map(|chosen| run_model(args, choice, chosen, instances)).collect()
}

fn run_model(
    args: &RunArgs,
    choice: &Choice,
    chosen: &Chosen,
    instances: &[Arc<SourceInstance>],
) -> Result<SeriesOutcome, Failure> {
    let name = chosen.model.manifest().identity().name.clone();
    let series = instances[0].identity.series.to_string();
    let count = instances.len();
    let progress = Progress::spinner(&format!("{name} over {count} instances of {series}"));
    let began = clock::now();
    let processed = infer(args, choice, chosen, instances);
    progress.finish();
    let folder = args.out.join(&series).join(&chosen.folder);
    let mut outcome = SeriesOutcome::new(series, name, count);
    match processed {
        Ok(processed) => {
            outcome.files = write_files(&processed, &folder, !args.no_overlay)?;
            outcome.fill(&processed);
        }
        Err(unsuitable) => outcome.unsuitable = Some(unsuitable.to_string()),
    }
    tracing::info!(millis = clock::now().since(began).as_millis(), "results written");
    Ok(outcome)
}

fn infer(
    args: &RunArgs,
    choice: &Choice,
    chosen: &Chosen,
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
    let overlay = if args.no_overlay { Overlay::LeftOut } else { Overlay::Drawn };
    let wanted = Wanted { forms: vec![args.form()], companions: args.companions(), overlay };
    let inquiry = Inquiry { model: &chosen.model, ask: &chosen.ask, ahead: None };
    pipeline::process(&inquiry, &source, &wanted, context)
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
        Picture::of(&processed.backdrops, &processed.findings)
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

fn print(args: &RunArgs, outcomes: &[SeriesOutcome]) -> Result<(), Failure> {
    if args.json {
        return text::print_json(&outcomes);
    }
    outcomes.iter().try_for_each(SeriesOutcome::print)?;
    text::print_line("Results of an algorithm. Not for diagnosis.")
}

/// The failure when nothing came out of any series, with the reasons of the first of them.
fn nothing_usable(outcomes: &[SeriesOutcome]) -> Failure {
    let mut text = String::from("no series could be used");
    let reasons: BTreeSet<&str> =
        outcomes.iter().filter_map(|outcome| outcome.unsuitable.as_deref()).collect();
    for reason in reasons.iter().take(REASONS_MAX) {
        text.push_str(&format!("\n  {reason}"));
    }
    if reasons.len() > REASONS_MAX {
        text.push_str(&format!("\n  and {} reasons more", reasons.len() - REASONS_MAX));
    }
    Failure::new(Fault::Input, text)
}
