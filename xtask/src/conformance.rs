//! `cargo xtask conformance`: validators of others over objects that the real binary makes.
//!
//! The bar is no complaint at all. One that we know and accept stands in `conformance/deviations.toml` with its
//! reason; an entry there that no longer occurs fails the run too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tests::{Phantom, Validators, shared_data};

use crate::report::{Steps, line};
use crate::{matrix, onnx_runtime, setup, tree};

/// A study, and the model to run over it.
struct Case {
    name: &'static str,
    study: PathBuf,
    model: Option<PathBuf>,
}

/// What the binary made of a case.
struct Made {
    case: Case,
    segmentation: PathBuf,
    report: PathBuf,
}

/// Something that a validator does not like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    pub(crate) tool: &'static str,
    pub(crate) object: String,
    pub(crate) text: String,
}

/// `deviations.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviations {
    #[serde(default)]
    accepted: Vec<Deviation>,
}

/// A complaint that we accept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    /// The tool that complains.
    tool: String,
    /// A part of the complaint's text.
    text: String,
    /// Why it is right as it is.
    reason: String,
}

/// Sets up and runs.
///
/// # Errors
/// When something is missing, or there is a complaint that is not accepted.
pub(crate) fn run_alone() -> Result<()> {
    let mut steps = Steps::default();
    steps.step("Debian packages", setup::debian_packages);
    steps.step("Python validators", setup::python_environment);
    steps.step("PixelMed", setup::pixelmed);
    steps.step("viewers' readers", setup::viewer_packages);
    steps.step("ONNX Runtime", || onnx_runtime::bring().map(drop));
    steps.step("build", || tree::cargo(&["build", "--locked", "--package", "node"], &[]));
    steps.step("conformance", run);
    steps.finish()
}

/// Runs all validators over all cases.
///
/// # Errors
/// Complaints that are not accepted, and accepted ones that did not occur.
pub(crate) fn run() -> Result<()> {
    let validators = Validators::find().context("the validators are not installed")?;
    let work = tree::target("conformance");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("removing {}", work.display()))?;
    }
    let mut complaints = BTreeSet::new();
    for case in cases(&work)? {
        line(&format!("   {}", case.name));
        let made = make(case, &work)?;
        complaints.extend(examine(&validators, &made)?);
    }
    complaints.extend(matrix::run(&validators, &work)?);
    let mut accepted = deviations()?;
    // A reader that is not installed says nothing, known or not.
    accepted.retain(|known| known.tool != "cornerstone" || matrix::has_cornerstone());
    judge(&complaints, &accepted)
}

fn cases(work: &Path) -> Result<Vec<Case>> {
    let phantom = work.join("phantom");
    Phantom::demo().write(&phantom)?;
    let mut cases = vec![Case { name: "phantom", study: phantom, model: None }];
    for (name, path) in [("ct-torso", "data/ct-torso"), ("ct-abdomen", "data/ct-abdomen-labelled")]
    {
        match shared_data(path) {
            Some(study) => cases.push(Case { name, study, model: None }),
            None => line(&format!("   left out: {name} (../shared/{path} is not here)")),
        }
    }
    match brain(work)? {
        Some(case) => cases.push(case),
        None => line("   left out: mr-brain (../shared has no head or no model here)"),
    }
    Ok(cases)
}

/// The MR head with a model of others, whose manifest is ours; both have to be there.
fn brain(work: &Path) -> Result<Option<Case>> {
    let (study, onnx) =
        (shared_data("data/mr-t1w-brain"), shared_data("models/meshnet-gwm-light.onnx"));
    let manifest = tree::root().join("inference/tests/models/meshnet-gwm-light/model.toml");
    let (Some(study), Some(onnx), true) = (study, onnx, manifest.is_file()) else {
        return Ok(None);
    };
    let model = work.join("meshnet");
    fs::create_dir_all(&model).with_context(|| format!("making {}", model.display()))?;
    for (from, name) in [(manifest, "model.toml"), (onnx, "meshnet-gwm-light.onnx")] {
        fs::copy(&from, model.join(name)).with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(Some(Case { name: "mr-brain", study, model: Some(model) }))
}

fn make(case: Case, work: &Path) -> Result<Made> {
    let out = work.join("made").join(case.name);
    let mut command = Command::new(tests::parsenode()?);
    command.arg("run").arg(&case.study).arg("--out").arg(&out).arg("--no-overlay");
    if let Some(model) = &case.model {
        command.arg("--model").arg(model);
    }
    tests::run(&mut command)?;
    let find = |name: &str| {
        let found = files_below(&out).into_iter().find(|path| path.ends_with(name));
        found.with_context(|| format!("{}: no {name}", case.name))
    };
    let (segmentation, report) = (find("segmentation.dcm")?, find("report.dcm")?);
    Ok(Made { case, segmentation, report })
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn examine(validators: &Validators, made: &Made) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for file in [&made.segmentation, &made.report] {
        let object = object_name(made, file);
        complaints.extend(dciodvfy(validators, made, file)?);
        complaints.extend(iodcheck(validators, file, &object)?);
    }
    complaints.extend(dcentvfy(validators, made)?);
    complaints.extend(srcheck(validators, made)?);
    complaints.extend(readback(validators, made)?);
    Ok(complaints)
}

fn object_name(made: &Made, file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    format!("{} {stem}", made.case.name)
}

/// What a program printed, whatever its exit code: validators exit with 1 when they complain.
pub(crate) fn said(command: &mut Command) -> Result<String> {
    let line = format!("{command:?}");
    let output = command.output().with_context(|| format!("starting {line}"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn complaints_in(tool: &'static str, object: &str, text: &str) -> Vec<Complaint> {
    let bad = text.lines().filter(|line| line.starts_with("Error") || line.starts_with("Warning"));
    bad.map(|text| Complaint { tool, object: object.to_owned(), text: text.to_owned() }).collect()
}

/// Without what it says of the source too: patient and study attributes are copied as they are.
fn dciodvfy(validators: &Validators, made: &Made, file: &Path) -> Result<Vec<Complaint>> {
    let object = object_name(made, file);
    let ask = |file: &Path| said(Command::new(validators.program("dciodvfy")).arg(file));
    let text = ask(file)?;
    if !text.contains("Segmentation") && !text.contains("Comprehensive3DSR") {
        bail!("dciodvfy does not name the IOD of {object}: {text}");
    }
    let source = files_below(&made.case.study);
    let of_source = source.first().map(|file| ask(file)).transpose()?.unwrap_or_default();
    let mut found = complaints_in("dciodvfy", &object, &text);
    found.retain(|complaint| !of_source.lines().any(|line| line == complaint.text));
    Ok(found)
}

fn iodcheck(validators: &Validators, file: &Path, object: &str) -> Result<Vec<Complaint>> {
    let script = tree::root().join("conformance/iodcheck.py");
    script_complaints(
        "iodcheck",
        object,
        Command::new(validators.program("python")).arg(script).arg(file),
    )
}

fn readback(validators: &Validators, made: &Made) -> Result<Vec<Complaint>> {
    let mut command = Command::new(validators.program("python"));
    command.arg(tree::root().join("conformance/readback.py")).arg(&made.case.study);
    command.arg(&made.segmentation).arg(&made.report).arg("--dcmqi").arg(validators.program(""));
    script_complaints("readback", made.case.name, &mut command)
}

/// Our own scripts print one complaint a line and exit with 1; anything else is a broken script.
pub(crate) fn script_complaints(
    tool: &'static str,
    object: &str,
    command: &mut Command,
) -> Result<Vec<Complaint>> {
    let output = command.output().with_context(|| format!("starting {tool}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    let broken = errors.contains("Traceback") || !matches!(output.status.code(), Some(0 | 1));
    if broken {
        bail!("{tool} on {object}: {}\n{errors}", output.status);
    }
    let after_file = |line: &str| line.rsplit('\t').next().unwrap_or_default().to_owned();
    let complaint = |line| Complaint { tool, object: object.to_owned(), text: after_file(line) };
    Ok(text.lines().map(complaint).collect())
}

/// Only what the results add to what the source has already.
fn dcentvfy(validators: &Validators, made: &Made) -> Result<Vec<Complaint>> {
    let source = files_below(&made.case.study);
    let ask = |results: &[&PathBuf]| -> Result<BTreeSet<Complaint>> {
        let mut command = Command::new(validators.program("dcentvfy"));
        let text = said(command.args(&source).args(results))?;
        Ok(complaints_in("dcentvfy", made.case.name, &text).into_iter().collect())
    };
    let before = ask(&[])?;
    let after = ask(&[&made.segmentation, &made.report])?;
    Ok(after.difference(&before).cloned().collect())
}

/// Errors only: its tables are of 2025 and warn of what is newer.
fn srcheck(validators: &Validators, made: &Made) -> Result<Vec<Complaint>> {
    let object = object_name(made, &made.report);
    let text = said(Command::new(validators.folder().join("srcheck")).arg(&made.report))?;
    if !text.contains("IOD") {
        bail!("srcheck does not name the IOD of {object}: {text}");
    }
    let found = complaints_in("srcheck", &object, &text);
    Ok(found.into_iter().filter(|complaint| complaint.text.starts_with("Error")).collect())
}

fn deviations() -> Result<Vec<Deviation>> {
    let path = tree::root().join("conformance/deviations.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let deviations: Deviations =
        toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
    Ok(deviations.accepted)
}

fn judge(complaints: &BTreeSet<Complaint>, accepted: &[Deviation]) -> Result<()> {
    let takes = |deviation: &Deviation, complaint: &Complaint| {
        deviation.tool == complaint.tool && complaint.text.contains(&deviation.text)
    };
    let unknown = |complaint: &&Complaint| !accepted.iter().any(|known| takes(known, complaint));
    let said = |c: &Complaint| format!("{}: {}: {}", c.object, c.tool, c.text);
    let mut faults: Vec<String> = complaints.iter().filter(unknown).map(said).collect();
    for known in accepted {
        match complaints.iter().filter(|complaint| takes(known, complaint)).count() {
            0 => faults.push(format!(
                "deviations.toml: {}: {:?} no longer occurs",
                known.tool, known.text
            )),
            count => line(&format!(
                "   accepted {count} times: {}: {}: {}",
                known.tool, known.text, known.reason
            )),
        }
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

#[cfg(test)]
mod tests_of_judgement {
    use super::*;

    fn complaint(text: &str) -> BTreeSet<Complaint> {
        BTreeSet::from([Complaint { tool: "dciodvfy", object: "x".into(), text: text.into() }])
    }

    fn deviation(text: &str) -> Vec<Deviation> {
        vec![Deviation { tool: "dciodvfy".into(), text: text.into(), reason: "known".into() }]
    }

    #[test]
    fn a_complaint_fails_unless_accepted_and_an_unused_entry_fails() {
        assert!(judge(&complaint("Error - a"), &[]).is_err());
        assert!(judge(&complaint("Error - a"), &deviation("Error - a")).is_ok());
        assert!(judge(&complaint("Error - a"), &deviation("Error - b")).is_err());
        assert!(judge(&BTreeSet::new(), &deviation("Error - a")).is_err());
        assert!(judge(&BTreeSet::new(), &[]).is_ok());
    }

    #[test]
    fn the_deviations_file_is_read() {
        assert!(deviations().unwrap().iter().all(|deviation| !deviation.reason.is_empty()));
    }
}
