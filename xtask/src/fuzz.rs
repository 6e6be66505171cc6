//! `cargo xtask bench fuzz [SECONDS]`: every fuzz target for a while, one after the other, and what came of it.
//!
//! cargo fuzz needs features of the compiler that are not stable; `RUSTC_BOOTSTRAP=1` lets the pinned one have them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ::tests::{Stopwatch, run as run_program};
use anyhow::{Context as _, Result, bail};

use crate::report::{line, seconds};
use crate::tree;

/// Seconds a target without another wish.
const SECONDS: u64 = 60;
/// Longest input in bytes: larger ones are slower and find nothing else.
const INPUT_BYTES_MAX: u64 = 8192;
/// Most memory in MB that an input may make the process take, the sanitizer's included.
const MEMORY_MB_MAX: u64 = 2048;
/// Longest time of an input in seconds.
const INPUT_SECONDS_MAX: u64 = 10;

/// Runs all targets, or those whose names are given.
///
/// # Errors
/// When something was found, or cargo fuzz cannot be installed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (numbers, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.parse::<u64>().is_ok());
    let time = numbers.first().and_then(|number| number.parse().ok()).unwrap_or(SECONDS);
    need_cargo_fuzz()?;
    build()?;
    let mut findings = 0;
    line("target | executions | a second | new inputs | covered edges | time | findings");
    for name in targets()?.iter().filter(|name| names.is_empty() || names.contains(name)) {
        findings += usize::from(!fuzz(name, time)?);
    }
    if findings > 0 {
        bail!("{findings} target(s) with findings; they lie in {}", artifacts().display());
    }
    Ok(())
}

fn folder() -> PathBuf {
    tree::root().join("conformance/fuzz")
}

/// Where the fuzzer leaves what it found.
fn artifacts() -> PathBuf {
    tree::target("fuzz/artifacts")
}

fn targets() -> Result<Vec<String>> {
    let folder = folder().join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| name(entry.path())).collect();
    names.sort();
    Ok(names)
}

fn need_cargo_fuzz() -> Result<()> {
    if run_program(Command::new("cargo").args(["fuzz", "--version"])).is_ok() {
        return Ok(());
    }
    line("installing cargo-fuzz");
    tree::cargo(&["install", "cargo-fuzz", "--locked"], &[])
}

fn cargo_fuzz(task: &str) -> Command {
    let mut command = Command::new("cargo");
    command.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", task, "--fuzz-dir"]).arg(folder());
    command.arg("--target-dir").arg(tree::target("fuzz")).current_dir(tree::root());
    command
}

fn build() -> Result<()> {
    tree::show(&mut cargo_fuzz("build"))
}

/// Runs one target; `false` when it found something. New inputs go into target/, not into the tree.
fn fuzz(name: &str, time: u64) -> Result<bool> {
    let (working, found) = (tree::target("fuzz/corpus").join(name), artifacts().join(name));
    for folder in [&working, &found] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let log = tree::target("fuzz").join(format!("{name}.log"));
    let file = File::create(&log).with_context(|| format!("writing {}", log.display()))?;
    let mut command = cargo_fuzz("run");
    command.arg(name).arg(&working).arg(folder().join("corpus").join(name)).arg("--");
    command.arg(format!("-max_total_time={time}")).arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"));
    command.arg(format!("-timeout={INPUT_SECONDS_MAX}")).arg("-print_final_stats=1");
    command.arg(format!("-artifact_prefix={}/", found.display()));
    let errors = file.try_clone().with_context(|| format!("writing {}", log.display()))?;
    let watch = Stopwatch::start();
    let status = command.stdin(Stdio::null()).stdout(file).stderr(errors).status();
    let good = status.context("starting cargo fuzz")?.success();
    let text = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    let stat =
        |key: &str| last_number(&text, key).map_or_else(|| "?".into(), |number| number.to_string());
    let (runs, speed) =
        (stat("stat::number_of_executed_units:"), stat("stat::average_exec_per_sec:"));
    let (new, edges) = (stat("stat::new_units_added:"), stat(" cov: "));
    let took = seconds(watch.elapsed());
    let verdict = if good { "none".into() } else { reason(&text, &log) };
    line(&format!("{name} | {runs} | {speed} | {new} | {edges} | {took} | {verdict}"));
    Ok(good)
}

/// The number behind the last `key` in the fuzzer's words.
fn last_number(text: &str, key: &str) -> Option<u64> {
    let rest = &text[text.rfind(key)? + key.len()..];
    rest.split_whitespace().next()?.parse().ok()
}

fn reason(text: &str, log: &Path) -> String {
    let said = text.lines().find(|line| line.contains("panicked at") || line.contains("ERROR:"));
    format!("{} (see {})", said.unwrap_or("a finding").trim(), log.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_counts() {
        let text =
            "#1 INITED cov: 12 ft: 3\n#9 DONE cov: 345 ft: 7\nstat::number_of_executed_units: 9\n";
        assert_eq!(last_number(text, " cov: "), Some(345));
        assert_eq!(last_number(text, "stat::number_of_executed_units:"), Some(9));
        assert_eq!(last_number(text, "none"), None);
    }
}
