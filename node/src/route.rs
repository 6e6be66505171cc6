//! `parsenode route`: what each rule says about each series. Runs nothing.

use domain::{AeTitle, After, Rule, Verdict};
use serde::Serialize;

use crate::cli::RouteArgs;
use crate::failure::{Failure, Fault, OrFail};
use crate::files;
use crate::pipeline;
use crate::settings;
use crate::text;

/// What the rules say about one series.
#[derive(Debug, Serialize)]
struct Explained {
    series: String,
    instances: usize,
    slices: usize,
    slice_spacing_mm: Option<f64>,
    orientation: Option<&'static str>,
    /// Why no model could use it, whatever the rules say.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsuitable: Option<String>,
    rules: Vec<Said>,
}

/// What one rule says.
#[derive(Debug, Serialize)]
struct Said {
    rule: String,
    after: &'static str,
    taken: bool,
    model: String,
    destinations: Vec<String>,
    reasons: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: &RouteArgs) -> Result<(), Failure> {
    let config = settings::load(&args.config)?;
    let calling = title(args.calling.as_deref())?;
    let called = title(args.called.as_deref())?.or_else(|| Some(config.node.ae_title.clone()));
    let found = files::read(&args.paths, &config.limits)?;
    for (path, reason) in &found.skipped {
        tracing::warn!("skipped {}: {reason}", path.display());
    }
    let mut all = Vec::new();
    for (uid, instances) in &found.series {
        let facts = series::facts(instances, calling.clone(), called.clone());
        let unsuitable = series::assemble(instances, &config.limits).err();
        let asked = |(after, name)| {
            pipeline::route(&facts, &config.routing, after)
                .into_iter()
                .map(move |pair| said(name, pair))
        };
        all.push(Explained {
            series: uid.to_string(),
            instances: instances.len(),
            slices: facts.geometry.slices,
            slice_spacing_mm: facts.geometry.slice_spacing_mm,
            orientation: facts.geometry.orientation.map(|orientation| orientation.as_str()),
            unsuitable: unsuitable.map(|unsuitable| unsuitable.to_string()),
            rules: [(After::Series, "series"), (After::Study, "study")]
                .into_iter()
                .flat_map(asked)
                .collect(),
        });
    }
    if args.json { text::print_json(&all) } else { all.iter().try_for_each(print) }
}

fn title(text: Option<&str>) -> Result<Option<AeTitle>, Failure> {
    text.map(|text| AeTitle::parse(text).or_fail(Fault::Misuse, || text.to_owned())).transpose()
}

fn said(after: &'static str, (rule, verdict): (&Rule, Verdict)) -> Said {
    let (taken, reasons) = match verdict {
        Verdict::Taken => (true, vec![]),
        Verdict::Refused(reasons) => (false, reasons.iter().map(ToString::to_string).collect()),
        Verdict::NotAsked { stopped_by } => {
            (false, vec![format!("not asked: {stopped_by} took it and stops there")])
        }
    };
    let (rule, model, destinations) =
        (rule.name.clone(), rule.model.clone(), rule.destinations.clone());
    Said { rule, after, taken, model, destinations, reasons }
}

fn print(explained: &Explained) -> Result<(), Failure> {
    let spacing = explained.slice_spacing_mm.map_or_else(|| "-".into(), |mm| format!("{mm:.3} mm"));
    text::print_line(&format!(
        "series {} · {} instances · {} slices · spacing {spacing} · {}",
        explained.series,
        explained.instances,
        explained.slices,
        explained.orientation.unwrap_or("no orientation"),
    ))?;
    if let Some(reason) = &explained.unsuitable {
        text::print_line(&format!("  volume models would quarantine it: {reason}"))?;
    }
    let mut table = text::Table::new(&["rule", "", "model", "destinations, or why not"]);
    for said in &explained.rules {
        let verdict = if said.taken { "takes it" } else { "does not" };
        let why = if said.taken { said.destinations.join(", ") } else { said.reasons.join("; ") };
        table.add(&[&said.rule, verdict, &said.model, &why]);
    }
    text::print_line(&table.to_string())
}
