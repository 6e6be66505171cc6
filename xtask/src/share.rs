//! `cargo xtask bench share [FOLDER]`: what `parsenode run` takes for a series beyond its networks, writing included.
//!
//! A round is the whole way of a job, from the first header to the last byte of a result, and then the networks alone over the same
//! slices, with the same threads. The share is the difference, in the time of the whole way. Loading ONNX Runtime and the model,
//! which a node does once, is not in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tests::Phantom;

use crate::report::line;
use crate::{onnx_runtime, tree};

/// The shipped model that is asked by text. Its networks are small, so that all else weighs most.
const MODEL: &str = "models/organs-ct-mr";

/// All that it knows of a CT.
const TARGETS: [&str; 12] = [
    "liver",
    "spleen",
    "left kidney",
    "right kidney",
    "aorta",
    "bone",
    "lung",
    "gallbladder",
    "stomach",
    "inferior vena cava",
    "colon",
    "spinal cord",
];

/// How often both ways are measured.
const ROUNDS: usize = 7;

/// What a round took, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Round {
    headers: f64,
    findings: f64,
    results: f64,
    whole: f64,
    networks: f64,
}

/// Builds the node and the stages, and measures.
///
/// # Errors
/// When something cannot be built, or a run fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    onnx_runtime::bring()?;
    tree::cargo(&["build", "--release", "--locked", "--package", "node"], &[])?;
    let example =
        ["build", "--release", "--locked", "--package", "inference", "--example", "prompt_speed"];
    tree::cargo(&example, &[])?;
    let folder = match arguments.first() {
        Some(folder) => PathBuf::from(folder),
        None => phantom()?,
    };
    let rounds = (0..ROUNDS).map(|_| Round::take(&folder)).collect::<Result<Vec<_>>>()?;
    rounds.iter().for_each(|round| line(&round.to_string()));
    let share = median(rounds.iter().map(Round::share).collect());
    line(&format!("beyond the networks, writing included: {share:.1} % of the time of a job"));
    Ok(())
}

/// 300 slices of 512 × 512, made once.
fn phantom() -> Result<PathBuf> {
    let folder = tree::target("bench/share/ct-300");
    if !folder.is_dir() {
        let phantom = Phantom {
            slices: 300,
            columns: 512,
            rows: 512,
            slice_spacing_mm: 1.0,
            ..Phantom::demo()
        };
        phantom.write(&folder)?;
    }
    Ok(folder)
}

impl Round {
    fn take(folder: &Path) -> Result<Self> {
        let log = node(folder)?;
        // Whole numbers of 128 bits are text in this log.
        let of = |message: &str, key: &str| -> Result<f64> {
            let found = log.iter().find(|event| event["message"] == message);
            found
                .and_then(|event| event[key].as_str()?.parse().ok())
                .with_context(|| format!("no {message}"))
        };
        let headers = of("headers read", "millis")?;
        Ok(Self {
            headers,
            findings: of("processed", "findings_millis")?,
            results: of("processed", "results_millis")?,
            whole: headers + of("results written", "millis")?,
            networks: networks(folder)?,
        })
    }

    /// In percent.
    fn share(&self) -> f64 {
        100.0 * (1.0 - self.networks / self.whole)
    }
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { headers, findings, results, whole, networks } = self;
        let share = self.share();
        write!(
            f,
            "job {whole:.0} ms (headers {headers:.0}, findings {findings:.0}, results {results:.0}), \
             networks alone {networks:.0} ms: {share:.1} %"
        )
    }
}

/// What the node logged of a series. Its results are new files, as those of a job are: writing over old ones takes a file system
/// longer.
fn node(folder: &Path) -> Result<Vec<Value>> {
    let out = tree::target("bench/share/out");
    if out.is_dir() {
        fs::remove_dir_all(&out)?;
    }
    let mut command = Command::new(tree::target("release/parsenode"));
    command.args(["run", "--log", "json", "--log-level", "info", "--no-overlay", "--model", MODEL]);
    command.args(["--target", &TARGETS.join(",")]).arg("--out").arg(&out);
    let lines = output(command.arg(folder))?.1;
    Ok(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The networks over the same series, in milliseconds.
fn networks(folder: &Path) -> Result<f64> {
    let mut command = Command::new(tree::target("release/examples/prompt_speed"));
    command.args([MODEL, "--networks"]).arg(folder).args(TARGETS);
    let printed = output(&mut command)?.0;
    let took: Value = serde_json::from_str(&printed).context("the stages are no JSON")?;
    let seconds = |stage: &str| took[stage].as_f64().with_context(|| format!("no {stage}"));
    Ok(1e3 * (seconds("encode")? + seconds("decode")?))
}

/// What a program says on stdout and stderr.
fn output(command: &mut Command) -> Result<(String, String)> {
    let line = format!("{command:?}");
    let done = command.current_dir(tree::root()).output();
    let done = done.with_context(|| format!("starting {line}"))?;
    let [out, errors] =
        [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if !done.status.success() {
        bail!("{line}: {}\n{errors}", done.status);
    }
    Ok((out, errors))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
